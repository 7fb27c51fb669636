pragma circom 2.1.6;

include "constants.circom";

// BabyJubJub: 168700 x^2 + y^2 = 1 + 168696 x^2 y^2, and v^2 = u^3 + 168698 u^2 + u beside it.

template OnCurve() {
    signal input in[2];
    signal x_square <== in[0] * in[0];
    signal y_square <== in[1] * in[1];
    168696 * x_square * y_square === 168700 * x_square + y_square - 1;
}

// The complete law: both points on the curve.
template Add() {
    signal input left[2];
    signal input right[2];
    signal output out[2];

    signal crossed <== left[0] * right[1];
    signal mirrored <== left[1] * right[0];
    signal straight <== (left[1] - 168700 * left[0]) * (right[0] + right[1]);
    signal both <== crossed * mirrored;
    out[0] <-- (crossed + mirrored) / (1 + 168696 * both);
    out[0] * (1 + 168696 * both) === crossed + mirrored;
    out[1] <-- (straight + 168700 * crossed - mirrored) / (1 - 168696 * both);
    out[1] * (1 - 168696 * both) === straight + 168700 * crossed - mirrored;
}

template ToMontgomery() {
    signal input in[2];
    signal output out[2];

    out[0] <-- (1 + in[1]) / (1 - in[1]);
    out[0] * (1 - in[1]) === 1 + in[1];
    out[1] <-- out[0] / in[0];
    out[1] * in[0] === out[0];
}

template ToEdwards() {
    signal input in[2];
    signal output out[2];

    out[0] <-- in[0] / in[1];
    out[0] * in[1] === in[0];
    out[1] <-- (in[0] - 1) / (in[0] + 1);
    out[1] * (in[0] + 1) === in[0] - 1;
}

// Sum of two points of different u. Where the u are equal the slope is free, so callers start at a
// point that nobody knows a multiple of.
template MontgomeryAdd() {
    signal input left[2];
    signal input right[2];
    signal output out[2];

    signal slope <-- (right[1] - left[1]) / (right[0] - left[0]);
    slope * (right[0] - left[0]) === right[1] - left[1];
    out[0] <== slope * slope - 168698 - left[0] - right[0];
    out[1] <== slope * (left[0] - out[0]) - left[1];
}

// 2 P + Q as (P + Q) + P: the v of P + Q is never needed.
template DoubleAndAdd() {
    signal input doubled[2];
    signal input added[2];
    signal output out[2];

    signal first <-- (added[1] - doubled[1]) / (added[0] - doubled[0]);
    first * (added[0] - doubled[0]) === added[1] - doubled[1];
    signal middle <== first * first - 168698 - doubled[0] - added[0];
    signal second <-- 2 * doubled[1] / (doubled[0] - middle) - first;
    (first + second) * (doubled[0] - middle) === 2 * doubled[1];
    out[0] <== second * second - 168698 - doubled[0] - middle;
    out[1] <== second * (doubled[0] - out[0]) - doubled[1];
}

// h K for the n bits of h. Digits of plus and minus one stand for the odd one of h and h + 1; an
// even h takes K off in the end.
template Multiply(n) {
    signal input bits[n];
    signal input point[2];
    signal output out[2];

    var start[2] = ladder_start();
    var correction[2] = ladder_correction();
    component base = ToMontgomery();
    base.in <== point;
    component steps[n];
    signal turned[n - 1];
    for (var i = 0; i < n; i++) {
        steps[i] = DoubleAndAdd();
        steps[i].added[0] <== base.out[0];
        if (i == 0) {
            steps[i].doubled[0] <== start[0];
            steps[i].doubled[1] <== start[1];
            steps[i].added[1] <== base.out[1];
        } else {
            steps[i].doubled <== steps[i - 1].out;
            turned[i - 1] <== (2 * bits[n - i] - 1) * base.out[1];
            steps[i].added[1] <== turned[i - 1];
        }
    }
    component odd = ToEdwards();
    odd.in <== steps[n - 1].out;
    component shifted = Add();
    shifted.left <== odd.out;
    shifted.right[0] <== correction[0];
    shifted.right[1] <== correction[1];
    component result = Add();
    result.left <== shifted.out;
    result.right[0] <== (bits[0] - 1) * point[0];
    result.right[1] <== 1 + (1 - bits[0]) * (point[1] - 1);
    out <== result.out;
}

// s B for the 251 bits of s: two bits choose one of four constant points, all of them with a part
// that is no known multiple of B, and the sum of those parts is taken off in the end.
template MultiplyBase() {
    signal input bits[251];
    signal output out[2];

    var table[126][4][2] = base_table();
    var correction[2] = base_correction();
    signal both[125];
    signal chosen[126][2];
    component sums[125];
    for (var i = 0; i < 126; i++) {
        var low = bits[2 * i];
        var high = 0;
        var product = 0;
        if (i < 125) {
            both[i] <== bits[2 * i] * bits[2 * i + 1];
            high = bits[2 * i + 1];
            product = both[i];
        }
        for (var j = 0; j < 2; j++) {
            var zero = table[i][0][j];
            var one = table[i][1][j];
            var two = table[i][2][j];
            var three = table[i][3][j];
            chosen[i][j] <== zero + (one - zero) * low + (two - zero) * high
                + (three - two - one + zero) * product;
        }
    }
    for (var i = 0; i < 125; i++) {
        sums[i] = MontgomeryAdd();
        if (i == 0) {
            sums[i].left <== chosen[0];
        } else {
            sums[i].left <== sums[i - 1].out;
        }
        sums[i].right <== chosen[i + 1];
    }
    component total = ToEdwards();
    total.in <== sums[124].out;
    component result = Add();
    result.left <== total.out;
    result.right[0] <== correction[0];
    result.right[1] <== correction[1];
    out <== result.out;
}
