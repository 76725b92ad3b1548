"""What the demo shop sells and says, read from the TOML files beside it."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from balie.demo.drawing import Frame, Skeleton, skeleton


class Both(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages of the shop."""

    nl: str
    en: str

    def __getitem__(self, language: str) -> str:
        return self.nl if language == "nl" else self.en


class Size(msgspec.Struct, frozen=True, rename={"shortest": "from", "tallest": "to"}):
    """A frame height and the body lengths in cm that it suits."""

    label: str
    shortest: int
    tallest: int
    later: bool = False


class Specs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tyre in mm, weight in kg, range in km."""

    gears: int
    brakes: str
    tyre: int
    weight: float
    lights: str
    material: str
    range: int = 0


class Build(msgspec.Struct, frozen=True):
    """What the drawing of a bicycle needs."""

    frame: Frame
    skeleton: Skeleton
    bars: str


class Product(msgspec.Struct, frozen=True):
    """A bicycle (with `build`, sizes and specs) or a part; `price` in cents."""

    slug: str
    category: str
    kind: str
    price: int
    name: Both
    line: Both
    story: Both
    paints: tuple[str, ...]
    sizes: tuple[Size, ...] = ()
    ready_in: int = 0
    kit: tuple[str, ...] = ()
    build: Build | None = None
    specs: Specs | None = None

    def size(self, label: str) -> Size | None:
        return next((size for size in self.sizes if size.label == label), None)


class _BicycleRow(msgspec.Struct, forbid_unknown_fields=True):
    slug: str
    name: str
    kind: str
    price: int
    paints: tuple[str, ...]
    frame: str
    bars: str
    kit: tuple[str, ...]
    sizes: tuple[Size, ...]
    ready_in: int
    line: Both
    story: Both
    specs: Specs


class _PartRow(msgspec.Struct, forbid_unknown_fields=True):
    slug: str
    name: Both
    kind: str
    price: int
    paint: str
    line: Both
    story: Both


class Catalogue(msgspec.Struct, frozen=True):
    products: dict[str, Product]
    words: dict[str, Both]
    paths: dict[str, Both]

    def of(self, category: str, kind: str = "") -> list[Product]:
        return [
            product
            for product in self.products.values()
            if product.category == category and kind in ("", product.kind)
        ]

    def find(self, category: str, slug: str) -> Product | None:
        product = self.products.get(slug)
        return product if product and product.category == category else None


@cache
def catalogue() -> Catalogue:
    frames = msgspec.convert(_read("frames"), dict[str, Frame])
    bicycles = msgspec.convert(_read("bicycles")["bicycle"], list[_BicycleRow])
    parts = msgspec.convert(_read("parts")["part"], list[_PartRow])
    products = [_bicycle(row, frames[row.frame]) for row in bicycles]
    products += [_part(row) for row in parts]
    return Catalogue(
        products={product.slug: product for product in products},
        words=msgspec.convert(_read("words"), dict[str, Both]),
        paths=msgspec.convert(_read("paths"), dict[str, Both]),
    )


def _read(name: str) -> dict[str, object]:
    text = files("balie.demo").joinpath("data", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _bicycle(row: _BicycleRow, frame: Frame) -> Product:
    return Product(
        slug=row.slug,
        category="bicycles",
        kind=row.kind,
        price=row.price,
        name=Both(nl=row.name, en=row.name),
        line=row.line,
        story=row.story,
        paints=row.paints,
        sizes=row.sizes,
        ready_in=row.ready_in,
        kit=row.kit,
        build=Build(frame=frame, skeleton=skeleton(frame), bars=row.bars),
        specs=row.specs,
    )


def _part(row: _PartRow) -> Product:
    return Product(
        slug=row.slug,
        category=row.kind,
        kind=row.kind,
        price=row.price,
        name=row.name,
        line=row.line,
        story=row.story,
        paints=(row.paint,),
    )
