import torch
from torch import nn

from equipoise.data.series.windows import Channel, Series
from equipoise.networks.conditioning import Generator
from equipoise.networks.series import SeriesGenerator
from equipoise.transforms.series_whitening import SeriesWhitening
from equipoise.transforms.window_space import WindowSpace

FORM = Series(4, 2, (Channel("0"), Channel("1")), listed=True, length_counts=(3, 0, 1))
SPACE = WindowSpace.of(FORM)
Z = torch.randn(64, FORM.size, generator=torch.Generator().manual_seed(0))


def generator(*, adds: bool, space: WindowSpace = SPACE) -> SeriesGenerator:
    torch.manual_seed(0)
    return SeriesGenerator(Generator(nn.Linear(space.size, space.size)), space, 1, adds=adds)


def test_it_starts_as_its_latents_up_to_the_end_of_each_window() -> None:
    made = generator(adds=True)(Z)
    mask = SPACE.mask(SPACE.lengths(Z[:, 0]))
    torch.testing.assert_close(made, Z * mask)
    assert {*mask.sum(1).tolist()} == {5.0, 9.0}


def test_training_moves_it_from_its_latents() -> None:
    network = generator(adds=True)
    network(Z).square().sum().backward()
    assert network.gain.grad is not None
    assert (network.gain.grad != 0).any()


def test_without_latents_to_add_it_is_the_network_with_its_windows_ended() -> None:
    network = generator(adds=False)
    out = network.points(Z)
    torch.testing.assert_close(network(Z), out * SPACE.mask(SPACE.lengths(out[:, 0])))


def test_windows_end_by_the_lengths_of_the_component() -> None:
    network, mixture = generator(adds=True), SeriesWhitening(FORM, 1)
    mixture.centres[0, 0], mixture.factors[0, 0, 0] = 5.0, 0.1  # always the longest
    network.start_from(mixture)
    torch.testing.assert_close(network(Z), Z)


def test_windows_of_one_length_have_no_end_to_find() -> None:
    form = Series(4, 4, (Channel("0"), Channel("1")))
    z = Z[:, : form.size]
    torch.testing.assert_close(generator(adds=True, space=WindowSpace.of(form))(z), z)
