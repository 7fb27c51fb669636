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
# that of others, at both steps. At the first they go to few places, so that a processor keeps the
# addresses of all of their pages at hand.
FINE_BITS = 10
_DIRECT_BUCKETS_MAX = 1 << 10
_HALF_ORDER = limbs((R - 1) // 2)
# Numba compiles a function anew for every literal argument: indices come from variables instead.
_FIRST = np.int64(0)
_NOTHING, _ONE = np.uint64(0), np.uint64(1)
_CODE_RANGE = np.uint64(1 << CODE_BITS)
_FINE = np.uint64(FINE_BITS)
_FINE_MASK = np.uint64((1 << FINE_BITS) - 1)
# Rows whose digits are cut together: their words stay in the first-level cache.
_BLOCK_ROWS = 512


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
    for span in range(spans.shape[0]):
        longest, complements = _FIRST, _FIRST
        for i in range(span * span_rows, min((span + 1) * span_rows, values.shape[0])):
            magnitude, is_complement = _magnitude(values, i)
            length = _bit_length(magnitude)
            if is_complement:
                scalar = load(values, i)
                if _bit_length(scalar) > width or not is_below(scalar, FR_MODULUS):
                    return i
                complements = _FIRST + 1
            elif length > width:
                return i
            lengths[length] += 1
            longest = max(longest, length)
        spans[span, 0], spans[span, 1] = longest, complements
    return -1


@njit(nogil=True, cache=True)
def recode(values, spans, codes, bits, top, biases):
    """Write the codes of the scalars of consecutive spans.

    biases[0] holds 2^(bits - 1) - 1 in every window below `top`, and biases[1], for complements,
    2^(bits - 1), or both nothing: added once, they make every digit a bit field less a constant,
    without carries. Digits with a sign lie in (-2^(bits - 1), 2^(bits - 1)] that way.
    """
    # The words of some rows beside each other, with a zero above, then their flips.
    words = np.zeros((6, _BLOCK_ROWS), dtype=np.uint64)
    row = _FIRST
    for span in range(spans.shape[0]):
        start, rows = spans[span, SPAN_START], spans[span, SPAN_ROWS]
        windows = spans[span, SPAN_WINDOWS]
        for first in range(0, rows if windows else 0, _BLOCK_ROWS):
            size = min(_BLOCK_ROWS, rows - first)
            _add_biases(words, values, row + first, size, biases)
            _cut_digits(codes, start + first, rows, size, words, bits, windows, top, biases)
        row += rows


@njit(nogil=True, cache=True)
def _add_biases(words, values, row, size, biases):
    """Write the biased magnitudes of rows, and all ones for those that are complements."""
    bias, other = load(biases, _FIRST), load(biases, _FIRST + 1)
    for i in range(size):
        magnitude, is_complement = _magnitude(values, row + i)
        m0, m1, m2, m3 = _sum(magnitude, other if is_complement else bias)
        words[0, i], words[1, i], words[2, i], words[3, i] = m0, m1, m2, m3
        words[5, i] = _NOTHING - np.uint64(is_complement)


@njit(nogil=True, cache=True)
def _cut_digits(codes, start, stride, size, words, bits, windows, top, biases):
    """Write the codes of the rows in `words`. The compiler makes vectors of the inner loop."""
    mask = np.uint64((1 << bits) - 1)
    flips = words[5]
    for window in range(windows):
        word, shift = divmod(bits * window, 64)
        lows, highs = words[word], words[word + 1]
        down, up = np.uint64(shift), np.uint64(63 - shift)
        bias, more = _NOTHING, _NOTHING
        if window < top:
            bias = biases[0, 0] & mask
            more = (biases[1, 0] & mask) - bias
        place = np.uint64(start + window * stride)
        for i in range(np.uint64(size)):
            field = ((lows[i] >> down) | ((highs[i] << _ONE) << up)) & mask
            digit = field - (bias + (more & flips[i]))
            codes[place + i] = np.uint16((digit ^ flips[i]) - flips[i])


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
    """The absolute value and the sign of a code; codes above `limit` are negative.

    Unsigned: an index that has a sign costs three instructions more, as it might count from the
    end of an array.
    """
    digit = np.uint64(code)
    is_negative = digit > limit
    return (_CODE_RANGE - digit if is_negative else digit), np.uint64(is_negative)


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
        window, size = windows[each, 0], windows[each, 2]
        limit = np.uint64(windows[each, 1])
        table = spans[windows[each, 3] : windows[each, 4]]
        found = counts[bucket : bucket + size]
        if size <= _DIRECT_BUCKETS_MAX:
            end = _sort_directly(refs, end, found, codes, table, window, limit)
        else:
            end = _sort_in_two_steps(refs, end, found, codes, table, window, limit)
        bucket += size
    return refs[:end]


@njit(nogil=True, inline="always")
def _span(spans, span, window):
    """The first code, the rows and the first base of a span in a window."""
    rows = spans[span, SPAN_ROWS]
    start = spans[span, SPAN_START] + window * rows
    return np.uint64(start), np.uint64(rows), np.uint64(spans[span, SPAN_BASE])


@njit(nogil=True, inline="always")
def _list_rows(refs, first, codes, spans, window, limit):
    """Write the references of the rows with a digit as they come."""
    position = np.uint64(first)
    for span in range(spans.shape[0]):
        if spans[span, SPAN_WINDOWS] > window:
            start, rows, base = _span(spans, span, window)
            for i in range(rows):
                digit, sign = _split(codes[start + i], limit)
                refs[position] = np.int32(((base + i) << _ONE) | sign)
                position += np.uint64(digit > _NOTHING)
    return np.int64(position)


@njit(nogil=True, inline="always")
def _sort_directly(refs, first, counts, codes, spans, window, limit):
    """Write one window's references from refs[first] on, rows without a digit last.

    Returns the end of those with a digit.
    """
    if counts.shape[0] == 1:
        counts[0] = _list_rows(refs, first, codes, spans, window, limit) - first
        return first + counts[0]
    found = np.zeros(counts.shape[0] + 1, dtype=np.uint32)
    for span in range(spans.shape[0]):
        if spans[span, SPAN_WINDOWS] > window:
            start, rows, _ = _span(spans, span, window)
            for i in range(start, start + rows):
                found[_split(codes[i], limit)[0]] += np.uint32(1)
    position = first
    for bucket in range(counts.shape[0]):
        counts[bucket] = found[bucket + 1]
        found[bucket + 1] = position
        position += counts[bucket]
    found[0] = position
    for span in range(spans.shape[0]):
        if spans[span, SPAN_WINDOWS] > window:
            start, rows, base = _span(spans, span, window)
            for i in range(rows):
                digit, sign = _split(codes[start + i], limit)
                place = found[digit]
                found[digit] = place + np.uint32(1)
                refs[place] = np.int32(((base + i) << _ONE) | sign)
    return position


@njit(nogil=True, inline="always")
def _sort_in_two_steps(refs, first, counts, codes, spans, window, limit):
    """The same for many buckets, first by the higher bits of the digits."""
    cursors = np.zeros((counts.shape[0] >> FINE_BITS) + 2, dtype=np.uint32)
    for span in range(spans.shape[0]):
        if spans[span, SPAN_WINDOWS] > window:
            start, rows, _ = _span(spans, span, window)
            for i in range(start, start + rows):
                cursors[(_split(codes[i], limit)[0] >> _FINE) + _ONE] += np.uint32(1)
    for each in range(cursors.shape[0] - 1):
        cursors[each + 1] += cursors[each]
    ends = cursors[1:].copy()
    entries = np.empty(cursors[-1], dtype=np.uint64)
    for span in range(spans.shape[0]):
        if spans[span, SPAN_WINDOWS] > window:
            start, rows, base = _span(spans, span, window)
            for i in range(rows):
                digit, sign = _split(codes[start + i], limit)
                place = cursors[digit >> _FINE]
                cursors[digit >> _FINE] = place + np.uint32(1)
                reference = ((base + i) << _ONE) | sign
                entries[place] = (reference << _FINE) | (digit & _FINE_MASK)
    found = np.empty(1 << FINE_BITS, dtype=np.uint32)
    position, begin = first, _FIRST
    for each in range(ends.shape[0]):
        end = np.int64(ends[each])
        lowest = each << FINE_BITS
        position = _sort_finely(refs, position, counts, lowest, found, entries[begin:end])
        begin = end
    return position


@njit(nogil=True, inline="always")
def _sort_finely(refs, position, counts, lowest, found, entries):
    """Sort entries with digits lowest, lowest + 1, ...; no digit is left out."""
    found[:] = 0
    for entry in entries:
        found[entry & _FINE_MASK] += np.uint32(1)
    for digit in range(max(1, lowest), min(lowest + found.shape[0], counts.shape[0] + 1)):
        count = np.int64(found[digit - lowest])
        counts[digit - 1] = count
        found[digit - lowest] = position
        position += count
    if lowest == 0:
        found[0] = position
    for entry in entries:
        place = found[entry & _FINE_MASK]
        found[entry & _FINE_MASK] = place + np.uint32(1)
        refs[place] = np.int32(entry >> _FINE)
    return position
