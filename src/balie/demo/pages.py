"""Turns answers into HTML: the Jinja2 environment and what every template of the shop knows."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from balie.demo import language as say
from balie.demo.catalogue import Catalogue, Product
from balie.demo.drawing import arc, spokes
from balie.demo.moments import cart_for_balie, moment_for_balie
from balie.demo.promises import opening_sentence
from balie.demo.views import PAGE_OF, Show, Visit

STATIC_FILES = {
    "shop.css": "text/css",
    "shop.js": "text/javascript",
    "favicon.svg": "image/svg+xml",
}


def read_static(name: str) -> bytes:
    content = files("balie.demo").joinpath("static", name).read_bytes()
    return _shortened(content.decode()).encode() if name.endswith(".css") else content


def _shortened(css: str) -> str:
    """The same rules without comments and idle space; strings in the sheet hold neither."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return (
        re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"(?<=[\w-]): ", ":", bare))
        .replace(";}", "}")
        .strip()
    )


def environment(balie_url: str, site_key: str) -> Environment:
    """Every template escapes what it prints, and printing something unknown is an error."""
    made = Environment(
        loader=PackageLoader("balie.demo", "templates/shop"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    versions = {name: sha256(read_static(name)).hexdigest()[:10] for name in STATIC_FILES}
    made.globals.update(
        arc=arc, spokes=spokes, balie_url=balie_url, site_key=site_key, versions=versions
    )
    return made


def render(templates: Environment, visit: Visit, show: Show) -> str:
    html = templates.get_template(show.template).render(
        words_for(visit.catalogue, visit.language)
        | {
            "lang": visit.language,
            "page": visit.page,
            "cart": visit.cart,
            "here": address(visit.catalogue, visit.language, visit.page, visit.params),
            "elsewhere": _other_language(visit),
            "opening": opening_sentence(visit.now, visit.language),
            "balie_cart": cart_for_balie(visit.cart, visit.page, visit.language),
            "balie_moment": _moment(visit),
            "balie_token": "",
        }
        | show.data
    )
    return re.sub(r"\n\s*\n+", "\n", html)


def _moment(visit: Visit) -> str:
    name = (
        visit.catalogue.words[f"moment_{visit.moment.kind}"][visit.language] if visit.moment else ""
    )
    return moment_for_balie(visit.moment, name, visit.language)


def words_for(catalogue: Catalogue, language: str) -> dict[str, Callable[..., str]]:
    """The functions with which a template says things in its own language."""

    def text(key: str, **values: object) -> str:
        return catalogue.words[key][language].format(**values)

    def url(page: str, **params: str) -> str:
        return address(catalogue, language, page, params)

    def product_url(product: Product) -> str:
        return url(PAGE_OF[product.category], slug=product.slug)

    return {
        "t": text,
        "url": url,
        "product_url": product_url,
        "money": partial(say.money, language=language),
        "decimal": partial(say.decimal, language=language),
        "metres": partial(say.metres, language=language),
        "long_date": partial(say.long_date, language=language),
        "short_date": partial(say.short_date, language=language),
    }


def address(catalogue: Catalogue, language: str, page: str, params: Mapping[str, str]) -> str:
    return catalogue.paths[page][language].format(**params)


def _other_language(visit: Visit) -> str:
    other = "en" if visit.language == "nl" else "nl"
    return address(visit.catalogue, other, visit.page, visit.params)
