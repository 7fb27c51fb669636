"""Compiled loops from scalars to sorted references; `msm` plans and calls them.

The scalars of a multiplication are cut into *spans* of consecutive rows of one column, and each
scalar into signed digits of c bits. A *code* is a digit in 16 bits: d or 2^16 + d, zero for none.
Codes stay where the scalars were: `codes[start + window * rows + i]` for row i of a span. A span's
row of the table is (start, rows, first base, windows); it has no codes for higher windows.

A scalar above r/2 counts as minus its complement: its digits change their sign.
"""

import numpy as np
from numba import njit

from circuits.field import R
from prover.kernels.inversion import leading_zeros
from prover.kernels.scalar import FR_MODULUS, ZERO, fr_sub, is_below, limbs, load

# A magnitude has at most this many bits: (r-1)/2 < 2^253.
MAGNITUDE_BITS = 253
CODE_BITS = 16
SPAN_START, SPAN_ROWS, SPAN_BASE, SPAN_WINDOWS = 0, 1, 2, 3
SPAN_COLUMNS = 4
# Beyond this many buckets rows are sorted in two steps: a row's place in memory is then close to
# that of others, at both steps.
FINE_BITS = 7
_DIRECT_BUCKETS_MAX = 1 << 10
_HALF_ORDER = limbs((R - 1) // 2)
# Numba compiles a function anew for every literal argument: indices come from variables instead.
_FIRST = np.int64(0)
_NOTHING = np.uint64(0)


@njit(nogil=True, inline="always")
def _bit_length(a):
    for k in (3, 2, 1, 0):
        if a[k]:
            return np.int64(64 * k + 64) - np.int64(leading_zeros(a[k]))
    return np.int64(0)


@njit(nogil=True, inline="always")
def _magnitude(values, i):
    """The scalar of row i or its complement, whichever is smaller, and whether it is that."""
    if values.shape[1] == 1:
        return (values[i, 0], ZERO[0], ZERO[0], ZERO[0]), False
    scalar = load(values, i)
    if scalar[3] >> np.uint64(60) and is_below(_HALF_ORDER, scalar):
        return fr_sub(ZERO, scalar), True
    return scalar, False


@njit(nogil=True, cache=True)
def measure(values, width, span_rows, spans, lengths):
    """Count the scalars of uint64[h, 1] or uint64[h, 4] by the bits of their magnitudes.

    Shape: spans int64[ceil(h / span_rows), 2] takes the bits of the longest magnitude of each span
    and whether any is a complement; lengths int64[MAGNITUDE_BITS + 1]. Returns the first row with
    a scalar that is not below r or has more than `width` bits, or -1.
    """
    spans[:] = 0
    for i in range(values.shape[0]):
        magnitude, is_complement = _magnitude(values, i)
        length = _bit_length(magnitude)
        if is_complement:
            scalar = load(values, i)
            if _bit_length(scalar) > width or not is_below(scalar, FR_MODULUS):
                return i
            spans[i // span_rows, 1] = 1
        elif length > width:
            return i
        lengths[length] += 1
        spans[i // span_rows, 0] = max(spans[i // span_rows, 0], length)
    return -1


@njit(nogil=True, cache=True)
def recode(values, spans, codes, bits, top, biases):
    """Write the codes of the scalars of consecutive spans.

    biases[0] holds 2^(bits - 1) - 1 in every window below `top`, and biases[1], for complements,
    2^(bits - 1), or both nothing: added once, they make every digit a bit field less a constant,
    without carries. Digits with a sign lie in (-2^(bits - 1), 2^(bits - 1)] that way.
    """
    mask = np.uint64((1 << bits) - 1)
    down, up = np.uint64(bits), np.uint64(64 - bits)
    row = _FIRST
    for span in range(spans.shape[0]):
        rows, windows = spans[span, SPAN_ROWS], spans[span, SPAN_WINDOWS]
        for i in range(rows if windows else 0):
            magnitude, is_complement = _magnitude(values, row + i)
            bias = load(biases, 1 if is_complement else 0)
            flip = np.uint64(0) - np.uint64(is_complement)
            m0, m1, m2, m3 = _sum(magnitude, bias)
            place = spans[span, SPAN_START] + i
            for window in range(windows):
                digit = (m0 & mask) - (bias[0] & mask if window < top else _NOTHING)
                codes[place] = np.uint16((digit ^ flip) - flip)
                place += rows
                m0, m1 = (m0 >> down) | (m1 << up), (m1 >> down) | (m2 << up)
                m2, m3 = (m2 >> down) | (m3 << up), m3 >> down
        row += rows


@njit(nogil=True, inline="always")
def _sum(a, b):
    s0 = a[0] + b[0]
    carry = np.uint64(s0 < b[0])
    s1 = a[1] + b[1]
    overflow = np.uint64(s1 < b[1])
    s1 += carry
    carry = overflow | np.uint64(s1 < carry)
    s2 = a[2] + b[2]
    overflow = np.uint64(s2 < b[2])
    s2 += carry
    carry = overflow | np.uint64(s2 < carry)
    return s0, s1, s2, a[3] + b[3] + carry


@njit(nogil=True, inline="always")
def _split(code, limit):
    """The absolute value and the sign of a code; codes above `limit` are negative."""
    digit = np.int32(code)
    is_negative = digit > limit
    return (np.int32(1 << CODE_BITS) - digit if is_negative else digit), np.int32(is_negative)


@njit(nogil=True, cache=True)
def sort_windows(codes, spans, windows, counts):
    """Return references to the rows of windows, sorted by window and then by digit.

    A row of `windows` starts with (window, limit of its positive codes, buckets, first span, end
    of spans). counts[k] takes the number of references of bucket k, over all windows in turn;
    bucket k of a window has the digits k + 1 and -(k + 1).
    """
    room = _FIRST
    for each in range(windows.shape[0]):
        for span in range(windows[each, 3], windows[each, 4]):
            if spans[span, SPAN_WINDOWS] > windows[each, 0]:
                room += spans[span, SPAN_ROWS]
    refs = np.empty(room, dtype=np.int32)
    end, bucket = _FIRST, _FIRST
    for each in range(windows.shape[0]):
        window, limit, size = windows[each, 0], windows[each, 1], windows[each, 2]
        table = spans[windows[each, 3] : windows[each, 4]]
        found = counts[bucket : bucket + size]
        if size <= _DIRECT_BUCKETS_MAX:
            end = _sort_directly(refs, end, found, codes, table, window, limit)
        else:
            end = _sort_in_two_steps(refs, end, found, codes, table, window, limit)
        bucket += size
    return refs[:end]


@njit(nogil=True, inline="always")
def _list_rows(refs, first, codes, spans, window, limit):
    """Write the references of the rows with a digit as they come."""
    position = first
    for span in range(spans.shape[0]):
        rows = spans[span, SPAN_ROWS]
        if spans[span, SPAN_WINDOWS] > window:
            start = spans[span, SPAN_START] + window * rows
            for i in range(rows):
                digit, sign = _split(codes[start + i], limit)
                refs[position] = 2 * (spans[span, SPAN_BASE] + i) + sign
                position += digit > 0
    return position


@njit(nogil=True, inline="always")
def _sort_directly(refs, first, counts, codes, spans, window, limit):
    """Write one window's references from refs[first] on, rows without a digit last.

    Returns the end of those with a digit.
    """
    if counts.shape[0] == 1:
        counts[0] = _list_rows(refs, first, codes, spans, window, limit) - first
        return first + counts[0]
    found = np.zeros(counts.shape[0] + 1, dtype=np.int32)
    for span in range(spans.shape[0]):
        rows = spans[span, SPAN_ROWS]
        if spans[span, SPAN_WINDOWS] > window:
            start = spans[span, SPAN_START] + window * rows
            for i in range(start, start + rows):
                found[_split(codes[i], limit)[0]] += 1
    position = first
    for bucket in range(counts.shape[0]):
        counts[bucket] = found[bucket + 1]
        found[bucket + 1] = position
        position += counts[bucket]
    found[0] = position
    for span in range(spans.shape[0]):
        rows = spans[span, SPAN_ROWS]
        if spans[span, SPAN_WINDOWS] > window:
            start = spans[span, SPAN_START] + window * rows
            base = spans[span, SPAN_BASE]
            for i in range(rows):
                digit, sign = _split(codes[start + i], limit)
                refs[found[digit]] = 2 * (base + i) + sign
                found[digit] += 1
    return position


@njit(nogil=True, inline="always")
def _sort_in_two_steps(refs, first, counts, codes, spans, window, limit):
    """The same for many buckets, first by the higher bits of the digits."""
    fine_mask = np.int32((1 << FINE_BITS) - 1)
    coarse = np.zeros((counts.shape[0] >> FINE_BITS) + 2, dtype=np.int64)
    for span in range(spans.shape[0]):
        rows = spans[span, SPAN_ROWS]
        if spans[span, SPAN_WINDOWS] > window:
            start = spans[span, SPAN_START] + window * rows
            for i in range(start, start + rows):
                coarse[(_split(codes[i], limit)[0] >> FINE_BITS) + 1] += 1
    for each in range(coarse.shape[0] - 1):
        coarse[each + 1] += coarse[each]
    entries = np.empty(coarse[-1], dtype=np.uint64)
    cursors = coarse[:-1].copy()
    for span in range(spans.shape[0]):
        rows = spans[span, SPAN_ROWS]
        if spans[span, SPAN_WINDOWS] > window:
            start = spans[span, SPAN_START] + window * rows
            base = spans[span, SPAN_BASE]
            for i in range(rows):
                digit, sign = _split(codes[start + i], limit)
                place = cursors[digit >> FINE_BITS]
                cursors[digit >> FINE_BITS] = place + 1
                reference = 2 * (base + i) + sign
                entries[place] = np.uint64((reference << FINE_BITS) | (digit & fine_mask))
    found = np.empty(1 << FINE_BITS, dtype=np.int64)
    position = first
    for each in range(coarse.shape[0] - 1):
        position = _sort_finely(
            refs,
            position,
            counts,
            each << FINE_BITS,
            found,
            entries[coarse[each] : coarse[each + 1]],
        )
    return position


@njit(nogil=True, inline="always")
def _sort_finely(refs, position, counts, lowest, found, entries):
    """Sort entries with digits lowest, lowest + 1, ...; no digit is left out."""
    mask = np.uint64((1 << FINE_BITS) - 1)
    found[:] = 0
    for entry in entries:
        found[entry & mask] += 1
    for digit in range(max(1, lowest), min(lowest + found.shape[0], counts.shape[0] + 1)):
        count = found[digit - lowest]
        counts[digit - 1] = count
        found[digit - lowest] = position
        position += count
    if lowest == 0:
        found[0] = position
    for entry in entries:
        place = found[entry & mask]
        found[entry & mask] = place + 1
        refs[place] = np.int32(entry >> np.uint64(FINE_BITS))
    return position
