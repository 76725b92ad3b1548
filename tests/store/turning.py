"""A process that works in turn: `python -m tests.store.turning ADDRESS NAME SILENT_MS`. Each step leaves a
notice with its name; it ends when it loses the turn."""

import sys
import time

from balie.store import turn as turns
from balie.store.notices import post
from balie.store.postgres import PostgresDriver
from balie.store.scope import EVERYWHERE


def main(url, name, silent_ms):
    """Try until the turn is ours, then work until it is not."""
    driver = PostgresDriver(url)
    turn = turns.SharedTurn(driver.owner, int(silent_ms))
    sys.stdout.write("trying\n")
    sys.stdout.flush()
    while not turn.take():
        time.sleep(0.02)
    with driver.owner.connect().execution_options(begin="") as line:
        line.exec_driver_sql("SET idle_in_transaction_session_timeout = '300ms'")
        while True:
            turn.keep()
            line.exec_driver_sql("BEGIN")
            line.exec_driver_sql(f"SET LOCAL balie.scope = '{EVERYWHERE}'")
            turn.confirm(line)
            time.sleep(0.01)
            post(line, name, [("step", "{}")], time.time_ns() // 1_000_000)
            line.exec_driver_sql("COMMIT")


if __name__ == "__main__":
    main(*sys.argv[1:])
