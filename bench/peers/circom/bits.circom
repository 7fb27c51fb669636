pragma circom 2.1.6;

// A number below 2^n as its bits.
template Bits(n) {
    signal input in;
    signal output out[n];

    var total = 0;
    var weight = 1;
    for (var i = 0; i < n; i++) {
        out[i] <-- (in >> i) & 1;
        out[i] * (out[i] - 1) === 0;
        total += weight * out[i];
        weight *= 2;
    }
    total === in;
}

// The number of these bits is at most a constant. From the top, `same` says whether all bits so far
// are those of the constant; while they are, none may be set where the constant has a zero.
template AtMost(n, bound) {
    signal input bits[n];
    signal same[n + 1];

    same[n] <== 1;
    var above = 0;
    for (var i = n - 1; i >= 0; i--) {
        if (((bound >> i) & 1) == 1) {
            same[i] <== same[i + 1] * bits[i];
            above = 0;
        } else {
            same[i] <== same[i + 1];
            above += bits[i];
            // A run of zeros is checked once, at its end.
            if (i == 0 || ((bound >> (i - 1)) & 1) == 1) {
                same[i] * above === 0;
            }
        }
    }
}
