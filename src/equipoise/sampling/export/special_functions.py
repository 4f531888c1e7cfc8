"""Functions that ONNX lacks, in arithmetic that it has.

Moshier: "Methods and Programs for Mathematical Functions" (1989), whose library Cephes
torch's own `ndtri` is of: rational functions, in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

HALF_ROOT = 0.5**0.5
ROOT_TWO_PI = 2.50662827463100050242
EDGE = 0.13533528323661269189  # exp(-2), below which the tail's formula holds
LEAST = 1e-14  # probability, that `ndtri` is written for

# erf(x) = x T(x^2) / U(x^2) for |x| < 1
T = (9.60497373987051638749, 90.0260197203842689217, 2232.00534594684319226,
     7003.32514112805075473, 55592.3013010394962768)  # fmt: skip
U = (1.0, 33.5617141647503099647, 521.357949780152679795, 4594.32382970980127987,
     22629.0000613890934246, 49267.3942608635921086)  # fmt: skip
# erfc(x) = exp(-x^2) P(x) / Q(x) for 1 <= x < 8, and R(x) / S(x) beyond
P = (2.46196981473530512524e-10, 0.564189564831068821977, 7.46321056442269912687,
     48.6371970985681366614, 196.520832956077098242, 526.445194995477358631,
     934.528527171957607540, 1027.55188689515710272, 557.535335369399327526)  # fmt: skip
Q = (1.0, 13.2281951154744992508, 86.7072140885989742329, 354.937778887819891062,
     975.708501743205489753, 1823.90916687909736289, 2246.33760818710981792,
     1656.66309194161350182, 557.535340817727675546)  # fmt: skip
R = (0.564189583547755073984, 1.27536670759978104416, 5.01905042251180477414,
     6.16021097993053585195, 7.40974269950448939160, 2.97886665372100240670)  # fmt: skip
S = (1.0, 2.26052863220117276590, 9.39603524938001434673, 12.0489539808096656605,
     17.0814450747565897222, 9.60896809063285878198, 3.36907645100081516050)  # fmt: skip
# ndtri(y), near the middle and in the tails
P0 = (-59.9633501014107895267, 98.0010754185999661536, -56.6762857469070293439,
      13.9312609387279679503, -1.23916583867381258016)  # fmt: skip
Q0 = (1.0, 1.95448858338141759834, 4.67627912898881538453, 86.3602421390890590575,
      -225.462687854119370527, 200.260212380060660359, -82.0372256168333339912,
      15.9056225126211695515, -1.18331621121330003142)  # fmt: skip
P1 = (4.05544892305962419923, 31.5251094599893866154, 57.1628192246421288162,
      44.0805073893200834700, 14.6849561928858024014, 2.18663306850790267539,
      -0.140256079171354495875, -0.0350424626827848203418,
      -0.000857456785154685413611)  # fmt: skip
Q1 = (1.0, 15.7799883256466749731, 45.3907635128879210584, 41.3172038254672030440,
      15.0425385692907503408, 2.50464946208309415979, -0.142182922854787788574,
      -0.0380806407691578277194, -0.000933259480895457427372)  # fmt: skip


def ndtr(x: Tensor) -> Tensor:
    """The normal distribution function of float32 or float64, of any shape."""
    u = x.double() * HALF_ROOT
    z = u.abs()
    # Each formula only sees what it is for: elsewhere it could overflow.
    inner = u.clamp(-1, 1)
    erf = inner * _polynomial(T, inner * inner) / _polynomial(U, inner * inner)
    tail, far = z.clamp(1, 8), z.clamp(min=8)
    ratio = torch.where(
        z < 8,
        _polynomial(P, tail) / _polynomial(Q, tail),
        _polynomial(R, far) / _polynomial(S, far),
    )
    upper = 0.5 * torch.exp(-(z * z)) * ratio
    outer = torch.where(u < 0, upper, 1 - upper)
    return torch.where(z < 1, 0.5 + 0.5 * erf, outer).to(x.dtype)


def ndtri(level: Tensor) -> Tensor:
    """The inverse of `ndtr`, of probabilities from 1e-14 to 1 - 1e-14."""
    y = level.double()
    lower = torch.where(y > 0.5, 1 - y, y).clamp(LEAST, 0.5)
    centred = (y - 0.5).clamp(EDGE - 0.5, 0.5 - EDGE)
    square = centred * centred
    ratio = _polynomial(P0, square) / _polynomial(Q0, square)
    middle = (centred + centred * (square * ratio)) * ROOT_TWO_PI
    root = (-2 * lower.clamp(max=EDGE).log()).sqrt()
    inverse = 1 / root
    tail = root - root.log() / root
    tail = tail - inverse * _polynomial(P1, inverse) / _polynomial(Q1, inverse)
    outer = torch.where(y > 0.5, tail, -tail)
    return torch.where(lower > EDGE, middle, outer).to(level.dtype)


def searchsorted(
    ordered: Tensor,
    values: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,  # noqa: ARG001  # torch's signature
) -> Tensor:
    """torch.searchsorted by bisection: as many steps as the length has bits.

    Args:
        ordered: (M,), or (C, M) with values (C, N).
        values: Of any shape, where `ordered` has one axis.
        right: Whether a value comes after its equals.
    """
    length = ordered.shape[-1]
    found = torch.zeros_like(values, dtype=torch.int64)
    step = 1 << max(length.bit_length() - 1, 0)
    while step and length:
        probe = found + step
        at = (probe - 1).clamp(max=length - 1)
        seen = ordered.gather(-1, at) if ordered.dim() > 1 else ordered[at]
        before = seen <= values if right or side == "right" else seen < values
        found = torch.where(before & (probe <= length), probe, found)
        step //= 2
    return found.int() if out_int32 else found


def _polynomial(coefficients: Sequence[float], x: Tensor) -> Tensor:
    """Horner's rule, the highest power first."""
    value = torch.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


def replacements() -> dict[Any, Callable[..., Tensor]]:
    """What stands in for torch's own functions, by operator."""
    aten = torch.ops.aten
    return {
        aten.special_ndtr.default: ndtr,
        aten.special_ndtri.default: ndtri,
        aten.searchsorted.Tensor: searchsorted,
    }
