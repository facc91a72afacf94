"""`make floors`: the package as a house. Rooms are files and folders, arrows are imports, and a room stands above all
that it imports. Prints rooms, floors, arrows and circles of the whole package and of the web app.

What may import what is enforced by the contracts in pyproject.toml (`lint-imports`); this only draws them.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp


def arrows(graph: grimp.ImportGraph, house: str) -> dict[str, set[str]]:
    """For every room of a package, the other rooms that it imports. A package's own `__init__` is no room."""
    rooms = graph.find_children(house)
    found: dict[str, set[str]] = {room: set() for room in rooms}

    def room_of(module: str) -> str | None:
        return next((room for room in rooms if module == room or module.startswith(f"{room}.")), None)

    for module in graph.modules:
        here = room_of(module)
        for other in graph.find_modules_directly_imported_by(module) if here else ():
            there = room_of(other)
            if there and there != here:
                found[here].add(there)
    return found


def floors(found: dict[str, set[str]]) -> list[list[str]]:
    """Rooms by floor, the ground first.

    Raises:
        CycleError: rooms import each other in a circle.
    """
    floor: dict[str, int] = {}
    for room in TopologicalSorter(found).static_order():
        floor[room] = 1 + max((floor[other] for other in found[room]), default=-1)
    return [sorted(room for room in floor if floor[room] == level) for level in range(max(floor.values()) + 1)]


def main() -> None:
    """Prints the houses, top floor first."""
    graph = grimp.build_graph("inverse")
    for house in ("inverse", "inverse.web"):
        found = arrows(graph, house)
        count = sum(map(len, found.values()))
        try:
            levels = floors(found)
        except CycleError as error:
            print(f"{house}: {len(found)} rooms, {count} arrows, and a circle: {' -> '.join(error.args[1])}\n")
            continue
        print(f"{house}: {len(found)} rooms, {len(levels)} floors, {count} arrows, no circle")
        for number, rooms in reversed(list(enumerate(levels, 1))):
            print(f"  {number:2}  {', '.join(room.removeprefix(f'{house}.') for room in rooms)}")
        print()


if __name__ == "__main__":
    main()
