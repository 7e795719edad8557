"""The picture fingerprint in plain Python: slow, to be read beside docs/spec/fingerprint.md.

It follows the definition word for word (box filters over the whole picture, then every 64th sample), where pdq.c goes
a faster way. Whole numbers up to the 64x64 block, so nothing is rounded before; float64 from there, in ascending k.
"""

from decimal import Decimal, localcontext
from functools import cache, lru_cache
from itertools import pairwise
from math import lcm

MIN_SIDE = 5
BLOCK = 64
HASH_SIDE = 16

# As it is; turned anticlockwise by 90, 180, 270 degrees; upside down; mirrored; transposed; anti-transposed.
# (transpose, negate B[i][j] where i * by_i + j * by_j + odd is odd); negated first, then transposed.
TURNS = (
    (False, 0, 0, 0),
    (True, 0, 1, 1),
    (False, 1, 1, 0),
    (True, 1, 0, 1),
    (False, 1, 0, 1),
    (False, 0, 1, 1),
    (True, 0, 0, 0),
    (True, 1, 1, 0),
)

Matrix = list[list[float]]


def fingerprint(width: int, height: int, rgb: bytes) -> tuple[list[str], int]:
    """The eight hashes, 64 hex digits each, and the quality, 0 to 100, of interleaved red, green, blue bytes.

    :raises ValueError: a side is under 5: no hash
    """
    if min(width, height) < MIN_SIDE:
        raise ValueError("a side is under 5 pixels: no hash")
    a = block(width, height, rgb)
    b = transform(a)
    return [hash_of(turned(b, *turn)) for turn in TURNS], quality(a)


def block(width: int, height: int, rgb: bytes) -> Matrix:
    """The 64x64 block of lumas, 0.0 to 255.0: the picture, box-filtered twice on each axis and decimated."""
    # thousandths of luma, so that 0.299, 0.587 and 0.114 are whole
    lumas = [299 * rgb[p] + 587 * rgb[p + 1] + 114 * rgb[p + 2] for p in range(0, len(rgb), 3)]
    rows = [lumas[width * y : width * (y + 1)] for y in range(height)]
    scale = 1000
    for _axis in range(2):  # along the rows, then, transposed, along the columns, then transposed back
        n = len(rows[0])
        rows = [box_filter(box_filter(row)) for row in rows]
        scale *= box_scale(n) ** 2
        rows = [list(column) for column in zip(*rows, strict=True)]
    return [
        [rows[(2 * i + 1) * height // 128][(2 * j + 1) * width // 128] / scale for j in range(BLOCK)]
        for i in range(BLOCK)
    ]


def window(n: int, i: int) -> tuple[int, int]:
    """Which inputs, [first, end), output i of the box filter over n inputs averages."""
    w = (n + 127) // 128
    half = (w + 2) // 2
    return max(0, i - (w - half)), min(n, i + half)


@cache
def box_scale(n: int) -> int:
    """The least number that makes every average of the box filter over n inputs whole."""
    return lcm(*{end - first for first, end in (window(n, i) for i in range(n))})


def box_filter(line: list[int]) -> list[int]:
    """The averages of the windows around each input, times `box_scale`, so that they are whole."""
    n = len(line)
    scale = box_scale(n)
    running = [0]
    for value in line:
        running.append(running[-1] + value)
    return [
        (running[end] - running[first]) * (scale // (end - first)) for first, end in (window(n, i) for i in range(n))
    ]


def quality(a: Matrix) -> int:
    """How much the block changes from sample to sample: 0, flat, to 100."""
    down = sum(abs(int((a[i][j] - a[i + 1][j]) * 100 / 255)) for i in range(BLOCK - 1) for j in range(BLOCK))
    right = sum(abs(int((a[i][j] - a[i][j + 1]) * 100 / 255)) for i in range(BLOCK) for j in range(BLOCK - 1))
    return min(100, (down + right) // 90)


def cosines() -> list[float]:
    """sqrt(2/64) * cos(pi m / 128), m = 0..63, each the nearest double: from 50 digits, not from a maths library."""
    with localcontext() as context:
        context.prec = 50
        pi = 4 * (4 * _arctan_of_inverse(5) - _arctan_of_inverse(239))
        return [float(_cos(pi * m / 128) / Decimal(32).sqrt()) for m in range(64)]


def _arctan_of_inverse(q: int) -> Decimal:
    return sum((Decimal((-1) ** k) / ((2 * k + 1) * Decimal(q) ** (2 * k + 1)) for k in range(40)), Decimal(0))


def _cos(x: Decimal) -> Decimal:
    term = total = Decimal(1)
    for k in range(1, 30):
        term *= -x * x / (2 * k * (2 * k - 1))
        total += term
    return total


def transform(a: Matrix) -> Matrix:
    """B = D A D^T, the 16x16 lowest frequencies without the constant one."""
    c = cosines()

    def d(i: int, j: int) -> float:  # sqrt(2/64) cos(pi/128 (i + 1)(2j + 1))
        m = (i + 1) * (2 * j + 1) % 256
        m = min(m, 256 - m)
        return c[m] if m < BLOCK else -c[128 - m]

    d_matrix = [[d(i, j) for j in range(BLOCK)] for i in range(HASH_SIDE)]
    d_transposed = [list(column) for column in zip(*d_matrix, strict=True)]
    return product(product(d_matrix, a), d_transposed)


def product(left: Matrix, right: Matrix) -> Matrix:
    """The product of two matrices, each sum from 0 in ascending k, every step rounded to float64."""
    result = []
    for row in left:
        sums = [0.0] * len(right[0])
        for k, factor in enumerate(row):
            for j, value in enumerate(right[k]):
                sums[j] += factor * value
        result.append(sums)
    return result


def turned(b: Matrix, transpose: bool, by_i: int, by_j: int, odd: int) -> Matrix:  # noqa: FBT001 - a table's row
    """B of the picture turned one of the eight ways."""
    side = range(HASH_SIDE)
    negated = [[-b[i][j] if (i * by_i + j * by_j + odd) % 2 else b[i][j] for j in side] for i in side]
    return [list(column) for column in zip(*negated, strict=True)] if transpose else negated


def hash_of(b: Matrix) -> str:
    """Bit 16 i + j tells whether B[i][j] is above the lower median; bit 255 is written first."""
    values = [value for row in b for value in row]
    median = sorted(values)[127]
    bits = sum(1 << k for k, value in enumerate(values) if value > median)
    return f"{bits:064x}"


PLANE_CELLS = 1 << 20
ONE = 1 << 16  # places on the plane are counted in this part of a cell
LEAST_CELLS = 5
TENT = 256  # what a tent's weights sum to
Axis = list[tuple[int, list[int]]]  # for each of 64 samples: its first cell, and the weights from there


@lru_cache(maxsize=1)  # for one picture's many views
def plane(width: int, height: int, rgb: bytes) -> tuple[int, list[list[int]]]:
    """The step, and rows of cells: each the mean luma of step x step pixels, or of those that are left at an edge."""
    step = 1
    while width * height > PLANE_CELLS * step * step:
        step += 1
    lumas = [299 * rgb[p] + 587 * rgb[p + 1] + 114 * rgb[p + 2] for p in range(0, len(rgb), 3)]
    cells: list[list[int]] = []
    for top in range(0, height, step):
        rows = range(top, min(top + step, height))
        cells.append([])
        for left in range(0, width, step):
            columns = range(left, min(left + step, width))
            divisor = 1000 * len(rows) * len(columns)
            cells[-1].append((sum(lumas[width * y + x] for y in rows for x in columns) + divisor // 2) // divisor)
    return step, cells


def view(width: int, height: int, rgb: bytes, rectangle: tuple[float, float, float, float]) -> tuple[list[str], int]:
    """The eight hashes and the quality of a rectangle: left, top, right, bottom as fractions of the picture."""
    step, cells = plane(width, height, rgb)
    left, top, right, bottom = rectangle
    across, down = tents(left, right, width, step), tents(top, bottom, height, step)
    if across is None or down is None:
        return ["0" * 64] * 8, 0
    a = [[weighed(cells, row, column) / TENT**2 for column in across] for row in down]
    b = transform(a)
    return [hash_of(turned(b, *turn)) for turn in TURNS], quality(a)


def weighed(cells: list[list[int]], row: tuple[int, list[int]], column: tuple[int, list[int]]) -> int:
    """The sum of the cells under two tents by their weights, 0 to 255 * 2^16."""
    (y, down), (x, across) = row, column
    return sum(
        weight * sum(w * cell for w, cell in zip(across, cells[k][x:], strict=False))
        for k, weight in enumerate(down, y)
    )


def tents(begin: float, end: float, pixels: int, step: int) -> Axis | None:
    """Sixty-four tents side by side over begin..end, fractions of a side; None if that is under five cells."""
    extent = pixels * ONE // step
    begin, end = max(begin, 0.0), min(end, 1.0)
    if not (end - begin) * extent >= LEAST_CELLS * ONE:
        return None
    first = int(begin * extent + 0.5)
    base = (int(end * extent + 0.5) - first) // BLOCK
    inverse = (1 << 40) // base
    made = []
    for left in range(first, first + BLOCK * base, base):
        edges = range((left // ONE + 1) * ONE, left + base, ONE)
        shares = [0, *(tent_before((edge - left) * inverse >> 24) for edge in edges), TENT]
        made.append((left // ONE, [until - before for before, until in pairwise(shares)]))
    return made


def tent_before(at: int) -> int:
    """How much of a tent (of 256) lies before a 65536th `at` of its base: up to the middle twice its square."""
    rest = 65536 - at
    return (at * at + (1 << 22)) >> 23 if at <= 1 << 15 else TENT - ((rest * rest + (1 << 22)) >> 23)
