"""``Response``, an answer with its status and headers, and ``Plan``, the cost of a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeAlias, TypeVar, cast, overload

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow  # pyright: ignore[reportMissingTypeStubs]
    from numpy.typing import NDArray

Library: TypeAlias = Literal["numpy", "pandas", "polars", "arrow"]
"""Whose frame is wanted."""
Prices: TypeAlias = Literal["float", "decimal"]
"""What decimals become in a frame: floats of 64 bits, or exact decimals."""
TimeUnit: TypeAlias = Literal["ms", "us", "ns"]
"""Resolution of the times of a frame."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Headers(Mapping[str, str]):
    """Response headers: names are case-insensitive, repeated ones joined by a comma."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self._items: dict[str, str] = {}
        for name, value in (items or {}).items():
            key = name.lower()
            self._items[key] = f"{self._items[key]}, {value}" if key in self._items else value

    @classmethod
    def of_ascii(cls, raw: Iterable[tuple[bytes, bytes]]) -> Self:
        """Headers as they came.

        Raises:
            UnicodeDecodeError: a value is not ASCII.
        """
        made = cls()
        items = made._items
        for raw_name, raw_value in raw:
            name, value = raw_name.decode("ascii").lower(), raw_value.decode("ascii")
            items[name] = f"{items[name]}, {value}" if name in items else value
        return made

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | T) -> str | T: ...
    def get(self, name: str, /, default: object = None) -> object:
        # Most lookups find no header; the inherited method raises and catches a KeyError for each.
        return self._items.get(name.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"


class Answer(Protocol[T_co]):
    """The body of a response, decoded or not."""

    @property
    def data(self) -> T_co:
        """The decoded answer."""
        ...

    def frame(self, library: Library, **options: object) -> Any:
        """It as a frame of a library."""
        ...


@dataclass(frozen=True, slots=True)
class Response(Generic[T_co]):
    """An answer with its status, headers and cost.

    Its body is decoded when ``data`` is read for the first time. ``to_polars``, ``to_pandas``, ``to_arrow`` and
    ``to_numpy`` make a frame of the bytes themselves: each value is checked as ``data`` would check it, and no row and
    no model is made. Columns are called as the fields; ints are 64 bits wide, times are UTC. What the spec lets be
    absent, null or empty is null there: NaN among floats of pandas and numpy, NaT among their times.

    An answer that is one object is a frame of one row. One with lists inside, such as an order book, fits into no
    frame: ``binance_sdk.frames`` makes one of each list, e.g. ``frames.to_polars(raw.data.bids)``.

    Args:
        answer: The body.
        status_code: HTTP status.
        headers: Response headers.
        content: The bytes of the body, decompressed.
        weight: Request weight charged for this call, as the spec says.
        used_weight: Weight that the server has counted in the running window; None if it did not say.
        url: URL of the request.
        elapsed: Seconds from sending the request to the end of the answer.
        retries: Attempts before this one.
        skipped: Rows left out of ``data`` because they differ from the spec; see ``RequestOptions.bad_rows``.
    """

    answer: Answer[T_co] = field(repr=False, compare=False)
    status_code: int
    headers: Headers
    content: bytes = field(repr=False)
    weight: int
    used_weight: int | None
    url: str
    elapsed: float
    retries: int
    skipped: int = 0

    @property
    def data(self) -> T_co:
        """The decoded answer.

        Raises:
            DecodeError: it is not what the spec says.
        """
        return self.answer.data

    def to_polars(
        self,
        *,
        prices: Prices = "float",
        scale: int | Mapping[str, int] | None = None,
        time_unit: TimeUnit = "us",
        columns: Iterable[str] | None = None,
    ) -> polars.DataFrame:
        """The answer as a DataFrame of polars: ``Int64``, ``Float64``, ``Datetime(time_unit, "UTC")``, ``String``.

        Args:
            prices: What decimals become: ``float`` for floats of 64 bits, ``decimal`` for exact ``Decimal(38, scale)``.
            scale: Digits behind the point of exact decimals, of all columns or by name, 0 to 38; a value with more is
                a ``DecodeError``, never rounded. None gives each column as many as its longest value has.
            time_unit: Resolution of times: ``ms``, ``us`` or ``ns``.
            columns: The columns wanted, in this order; None takes all. The rest is checked all the same.

        Raises:
            DecodeError: the answer is not what the spec says, or a value does not fit; field and row are named.
            ParameterError: an option is wrong, or such an answer fits into no frame.
            ConfigError: polars is not installed.
        """
        frame = self.answer.frame("polars", prices=prices, scale=scale, time_unit=time_unit, columns=columns)
        return cast("polars.DataFrame", frame)

    def to_arrow(  # pyright: ignore[reportUnknownParameterType]
        self,
        *,
        prices: Prices = "float",
        scale: int | Mapping[str, int] | None = None,
        time_unit: TimeUnit = "us",
        columns: Iterable[str] | None = None,
    ) -> pyarrow.Table:
        """The answer as an Arrow table: ``int64``, ``double``, ``timestamp[time_unit, UTC]``, ``string``.

        Args:
            prices: What decimals become: ``float`` for floats of 64 bits, ``decimal`` for ``decimal128(38, scale)``.
            scale: Digits behind the point of exact decimals; as in ``to_polars``.
            time_unit: Resolution of times: ``ms``, ``us`` or ``ns``.
            columns: The columns wanted, in this order; None takes all.

        Raises:
            DecodeError: the answer is not what the spec says, or a value does not fit; field and row are named.
            ParameterError: an option is wrong, or such an answer fits into no frame.
            ConfigError: pyarrow is not installed.
        """
        return self.answer.frame("arrow", prices=prices, scale=scale, time_unit=time_unit, columns=columns)

    def to_pandas(
        self,
        *,
        prices: Prices = "float",
        time_unit: TimeUnit = "us",
        columns: Iterable[str] | None = None,
        index: str | None = None,
    ) -> pandas.DataFrame:
        """The answer as a DataFrame of pandas: ``int64``, ``float64``, ``datetime64[time_unit, UTC]``, texts.

        Ints and bools that the spec lets be absent are ``Int64`` and ``boolean``.

        Args:
            prices: What decimals become: ``float`` for floats of 64 bits, ``decimal`` for exact ``decimal.Decimal``.
            time_unit: Resolution of times: ``ms``, ``us`` or ``ns``.
            columns: The columns wanted, in this order; None takes all.
            index: The column that becomes the index, e.g. ``open_time``; None numbers the rows.

        Raises:
            DecodeError: the answer is not what the spec says, or a value does not fit; field and row are named.
            ParameterError: an option is wrong, or such an answer fits into no frame.
            ConfigError: pandas is not installed.
        """
        frame = self.answer.frame("pandas", prices=prices, time_unit=time_unit, columns=columns, index=index)
        return cast("pandas.DataFrame", frame)

    def to_numpy(
        self,
        *,
        prices: Prices = "float",
        time_unit: TimeUnit = "us",
        columns: Iterable[str] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """The answer as arrays of numpy by column: ``int64``, ``float64``, ``datetime64[time_unit]`` in UTC, texts.

        Ints and bools that the spec lets be absent are masked arrays.

        Args:
            prices: What decimals become: ``float`` for floats of 64 bits, ``decimal`` for exact ``decimal.Decimal``.
            time_unit: Resolution of times: ``ms``, ``us`` or ``ns``.
            columns: The columns wanted, in this order; None takes all.

        Raises:
            DecodeError: the answer is not what the spec says, or a value does not fit; field and row are named.
            ParameterError: an option is wrong, or such an answer fits into no frame.
            ConfigError: numpy is not installed.
        """
        frame = self.answer.frame("numpy", prices=prices, time_unit=time_unit, columns=columns)
        return cast("dict[str, NDArray[Any]]", frame)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call costs, known before it is made.

    Args:
        operation: The endpoint, e.g. ``spot.depth``.
        requests: Number of requests; for an iterator the most it needs if no row is missing in between and pages are
            as large as documented.
        weight: Request weight of all of them.
        groups: Requests by named group, e.g. ``{"funding_rate": 1}``.
        at_least: Seconds that it takes at least, if nothing else uses the limits.
    """

    operation: str
    requests: int
    weight: int
    groups: Mapping[str, int]
    at_least: float
