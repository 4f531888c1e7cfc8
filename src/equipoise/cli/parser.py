"""A command line from dataclasses: each field is an option, its docstring the help.

The parser is argparse. Mistakes are collected and raised as one RequestError.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from equipoise.cli.field_docs import field_docs
from equipoise.cli.values import (
    NUMBER_MARK,
    Mistake,
    alternatives,
    converter,
    is_number,
    metavar_of,
    shown_default,
)
from equipoise.coerce import described, hints
from equipoise.errors import RequestError, nearest
from equipoise.utils.option_names import option_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
HELP_COLUMN = 30


def positional(metavar: str, needs: str, default: Any = MISSING, *, doc: str | None = None) -> Any:
    """A positional field. One that is a tuple takes any number of words.

    Args:
        metavar: Its name in the help.
        needs: A description for the message if it is missing: "a run directory".
        default: Its default; without one it is required.
        doc: Its help. Default: the field's docstring.
    """
    metadata = {"positional": True, "metavar": metavar, "needs": needs, "doc": doc}
    return field(default=default, metadata=metadata)


def option(
    default: Any,
    metavar: str,
    *,
    short: str | None = None,
    bare: Any = MISSING,
    doc: str | None = None,
    repeats: bool = False,
) -> Any:
    """A field whose option needs more than its type.

    Args:
        default: Its default.
        metavar: Its value's name in the help.
        short: A short option, such as "-n".
        bare: The value of the option without an argument. Default: it needs one.
        doc: Its help. Default: the field's docstring.
        repeats: Whether values of a repeated option are added to the earlier ones.
    """
    metadata = {
        "metavar": metavar,
        "short": short,
        "bare": bare,
        "doc": doc,
        "repeats": repeats,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Parsed:
    """A parsed command line: values by the fields' names, and mistakes."""

    values: dict[str, Any]
    mistakes: list[str]


class OptionsParser:
    """The options of one command: the fields of one or more dataclasses.

    Args:
        command: The command's name.
        groups: The dataclasses by their titles in the help. Of two fields with the same
            name the first counts.
        description: The paragraphs at the top of the help.
        usage: The text after "usage:".
        owner: The owner of the options in messages. Default: the command.
        shows_help: Whether --help prints the help and exits.
        without: Fields that are no options of this command.
    """

    def __init__(
        self,
        command: str,
        groups: Mapping[str, type[Any]],
        *,
        description: str,
        usage: str,
        owner: str | None = None,
        shows_help: bool = True,
        without: Collection[str] = (),
    ) -> None:
        self.prog: str = f"equipoise {command}"
        self.owner: str = owner or command
        self.groups = groups
        self.parser: argparse.ArgumentParser = argparse.ArgumentParser(
            prog=self.prog,
            usage=usage,
            description="\n\n".join(
                textwrap.fill(part, 80) for part in description.split("\n\n")
            ).replace("%", "%%"),
            formatter_class=_formatter,
            add_help=False,
            allow_abbrev=False,
            exit_on_error=False,
        )
        self.without = without
        self.positional: Field[Any] | None = None
        self.types: dict[str, Any] = {}  # by the fields' names
        self.switches: set[str] = set()  # options that take no value
        self.known: dict[str, str] = {}  # the field's name by its options
        self.arguments: argparse._ArgumentGroup = self.parser.add_argument_group("arguments")
        for title, settings in groups.items():
            group = self.parser.add_argument_group(title)
            if shows_help and "--help" not in self.known:
                group.add_argument("-h", "--help", action="help", help="Show this help and exit.")
                self.known["--help"] = "help"
            self._add_group(group, settings)

    def parse(self, arguments: Sequence[str]) -> Parsed:
        """Read a command line; --help prints and exits."""
        mistakes: list[str] = []
        words = list(self._normalized(arguments, mistakes))
        while True:
            try:
                namespace, rest = self.parser.parse_known_args(words)
                break
            except argparse.ArgumentError as error:
                wrong = (error.argument_name or "").split("/")
                mistakes.append(self._without_value(wrong[0], error.message))
                left = [word for word in words if word.partition("=")[0] not in wrong]
                if left == words:  # its value is glued to it, as in -n5
                    left = [
                        word for word in words if word.startswith("--") or word[:2] not in wrong
                    ]
                if left == words:
                    return Parsed({}, mistakes)
                words = left
        values = vars(namespace)
        for name, value in list(values.items()):
            of_value = value if isinstance(value, list) else [value]
            if wrong_parts := [part for part in of_value if isinstance(part, Mistake)]:
                mistakes.append(wrong_parts[0].message)
                del values[name]
            elif isinstance(value, list):
                values[name] = tuple(value)
        return Parsed(values, [*self._assign_positional(values, rest), *mistakes])

    def _add_group(self, group: argparse._ArgumentGroup, settings: type[Any]) -> None:
        types = hints(settings)
        docs: Mapping[str, str] = field_docs(settings)
        for of_field in fields(settings):
            name, metadata = of_field.name, of_field.metadata
            if name in self.types or name in self.without:
                continue
            self.types[name] = types[name]
            doc = metadata.get("doc") or docs.get(name, "")
            if metadata.get("positional"):
                self.positional = of_field
                self.arguments.add_argument(
                    name,
                    metavar=metadata["metavar"],
                    nargs="*",
                    default=argparse.SUPPRESS,
                    help=doc.replace("%", "%%"),
                )
            else:
                self._add_option(group, of_field, types[name], doc)

    def _add_option(
        self, group: argparse._ArgumentGroup, of_field: Field[Any], hint: Any, doc: str
    ) -> None:
        name, metadata, kinds = of_field.name, of_field.metadata, list(alternatives(hint))
        flag = option_of(name)
        default = shown_default(of_field)
        shared: dict[str, Any] = {
            "dest": name,
            "default": argparse.SUPPRESS,
            "help": (doc + default).replace("%", "%%"),
        }
        if bool in kinds:
            off = f"--no-{flag.removeprefix('--')}"
            self.switches.add(flag)
            self.known |= {flag: name, off: name}
            if of_field.default is False:
                group.add_argument(flag, action="store_true", **shared)
                group.add_argument(
                    off, action="store_false", **{**shared, "help": argparse.SUPPRESS}
                )
            else:
                group.add_argument(flag, off, action=_Switch, nargs=0, **shared)
            return
        short = metadata.get("short")
        self.known |= dict.fromkeys([flag, *([short] if short else [])], name)
        parts = next((get_args(kind) for kind in kinds if get_origin(kind) is tuple), None)
        if parts is not None:
            shared["nargs"] = "+"
            if metadata.get("repeats"):
                shared["action"] = "extend"
        if metadata.get("bare", MISSING) is not MISSING:
            shared |= {"nargs": "?", "const": metadata["bare"]}
        group.add_argument(
            *([short] if short else []),
            flag,
            type=converter(flag, hint if parts is None else parts[0], whole=hint),
            metavar=metadata.get("metavar") or metavar_of(hint if parts is None else parts[0]),
            **shared,
        )

    def _normalized(self, arguments: Sequence[str], mistakes: list[str]) -> Iterator[str]:
        """The words as argparse takes them: --batch_size as --batch-size, --flag False
        as --no-flag, and negative numbers marked."""
        words = iter(arguments)
        for word in words:
            if word == "--":
                yield from (word, *words)
                return
            if not word.startswith("--"):
                yield f"{NUMBER_MARK}{word}" if word.startswith("-") and is_number(word) else word
                continue
            name, equals, value = word.partition("=")
            name = name.replace("_", "-")
            if name not in self.switches:
                yield name + equals + value
                continue
            follows = None
            if not equals and (follows := next(words, None)) is not None:
                value = follows
            is_on = BOOLEANS.get(value.lower())
            if equals and is_on is None:
                mistakes.append(f"{name} = {value!r}: must be True or False")
                continue
            yield name if is_on is not False else f"--no-{name.removeprefix('--')}"
            if follows is not None and is_on is None:
                yield from self._normalized([follows, *words], mistakes)
                return

    def _without_value(self, flag: str, message: str) -> str:
        name = self.known.get(flag)
        if name is None or "expected" not in message:
            return f"{flag}: {message}"
        return f"{flag} has no value: must be {described(self.types[name])}"

    def _assign_positional(self, values: dict[str, Any], rest: Sequence[str]) -> Iterator[str]:
        """Assign words without an option to the positional field.

        Yields:
            A mistake for each word that is left over.
        """
        options = [word for word in rest if word.startswith("-") and word != "-"]
        unknown = [word.partition("=")[0] for word in options if word.startswith("--")]
        for name in unknown:
            yield f"no option {name} of {self.owner}: {nearest(name, self.known)}"
        alone = [word for word in rest if word not in options]
        if self.positional is not None:
            name = self.positional.name
            alone = [*values.pop(name, ()), *alone]
            hint = next(alternatives(self.types[name]))
            words = [word.removeprefix(NUMBER_MARK) for word in alone]
            if words and get_origin(hint) is tuple:
                values[name], alone = tuple(map(get_args(hint)[0], words)), []
            elif words:
                values[name], alone = hint(words[0]), words[1:]
        if unknown:  # words left over may be their values
            return
        for word in (*alone, *options):
            yield f"{word.removeprefix(NUMBER_MARK)!r} was not expected: see {self.prog} --help"


def command_parser(options: type[Any], command: str) -> OptionsParser:
    """The parser of a command whose options are the fields of one dataclass."""
    usage = [f"equipoise {command}"]
    types = hints(options)
    for name, of_field in options.__dataclass_fields__.items():
        if of_field.metadata.get("positional"):
            many = " ..." if get_origin(types[name]) is tuple else ""
            shown = f"{of_field.metadata['metavar']}{many}"
            usage.append(shown if of_field.default is MISSING else f"[{shown}]")
    if len(types) >= len(usage):
        usage.append("[OPTIONS]")
    return OptionsParser(
        command,
        {"options": options},
        description=" ".join((options.__doc__ or "").split()),
        usage=" ".join(usage),
    )


def parse(options: type[T], command: str, arguments: Sequence[str]) -> T:
    """Parse a command line into an instance of the dataclass `options`.

    Raises:
        RequestError: There are mistakes. The message has all of them, in one line.
    """
    parser = command_parser(options, command)
    parsed = parser.parse(arguments)
    needed = parser.positional
    if (
        needed is not None
        and needed.default is MISSING
        and needed.name not in parsed.values
        and not parsed.mistakes
    ):
        raise RequestError(
            f"{parser.prog} needs {needed.metadata['needs']}: see {parser.prog} --help"
        )
    raise_mistakes(parsed.mistakes)
    return options(**parsed.values)


def raise_mistakes(mistakes: Sequence[str]) -> None:
    """Raise a RequestError with all mistakes in one line, if there are any."""
    if mistakes:
        raise RequestError("; ".join(dict.fromkeys(mistakes)))


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=HELP_COLUMN)


class _Switch(argparse.Action):
    """--flag is True, --no-flag is False."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, not str(option_string).startswith("--no-"))
