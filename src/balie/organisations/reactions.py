"""What organisations do when a visitor is erased: nothing, and here it says why."""

from balie.organisations.model import organisations, site_keys, sites
from balie.store.keepers import Keeper
from balie.store.notices import notices

KEEPER = Keeper(
    room="organisations",
    others={
        notices.name: "what processes tell each other; ids and states of minutes, no words of anybody",
        organisations.name: "who serves; nothing of whom they serve",
        sites.name: "what a site looks like and where it stands",
        site_keys.name: "keys that prove who a visitor is; they name nobody",
    },
)
