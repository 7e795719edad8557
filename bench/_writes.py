"""One process that writes manifests for `bench.cases`, with the database in the environment.

`python -m bench._writes BLOCKS WRITES WRITERS FOLDER`. Blocks of ours and of the bare loop take turns, so that whatever
else the machine does slows both. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seawall.cases.models import Case


def main(blocks: int, writes: int, writers: int, folder: Path) -> None:
    """Each writer has a case of its own and writes ``writes`` manifests a block to it."""
    from seawall.cases import queries  # noqa: PLC0415 - after django.setup()

    people = [_person(blocks * writes) for _ in range(writers)]
    size = len(people[0][1][0])
    ours, bare = [], []
    with ThreadPoolExecutor(writers) as pool:
        for block in range(blocks):
            part = slice(block * writes, (block + 1) * writes)
            begun = time.perf_counter()
            list(pool.map(_write, [(case, made[part]) for case, made in people]))
            ours.append(time.perf_counter() - begun)
            bare.append(_bare(folder / "bare", size, writes * writers))
    kept = 0
    for case, made in people:
        found = queries.find(bytes(case.case))
        kept += found.seq - 1 if found is not None and queries.envelope(found) == made[-1] else 0
    print(json.dumps({"ours": ours, "bare": bare, "bytes": size, "kept": kept}))


def _person(count: int) -> tuple[Case, list[bytes]]:
    """A new case, and manifests of one step of padding, sealed and signed beforehand: what most writes are."""
    from seawall.cases import envelope as envelopes  # noqa: PLC0415
    from seawall.cases import operations  # noqa: PLC0415
    from seawall.cases.tests.client import Person, envelope  # noqa: PLC0415

    person = Person(memory=64)
    keys = person.keys
    case = operations.open_case(
        case=keys.case,
        sign_key=keys.sign_key,
        recipient=keys.recipient,
        envelope=person.first({}),
        now=datetime.now(UTC),
    )
    made, before = [], bytes(case.digest)
    for seq in range(2, count + 2):
        made.append(envelope(keys, seq, before, {"seq": seq}))
        before = envelopes.parse(made[-1]).digest
    return case, made


def _write(work: tuple[Case, list[bytes]]) -> None:
    from seawall.evidence import operations  # noqa: PLC0415

    for each in work[1]:
        operations.write(case=work[0], change=operations.Change(each), now=datetime.now(UTC))


def _bare(path: Path, size: int, count: int) -> float:
    """Seconds that so many bytes take, put behind the ones before and synced each time."""
    content = os.urandom(size)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        begun = time.perf_counter()
        for _ in range(count):
            os.write(file, content)
            os.fsync(file)
        return time.perf_counter() - begun
    finally:
        os.close(file)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "seawall.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
