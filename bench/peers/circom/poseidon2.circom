pragma circom 2.1.6;

include "constants.circom";

// The matrix of full rounds on four linear forms.
function external_row(row) {
    var matrix[4][4] = [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]];
    return matrix[row];
}

// The permutation: 88 fifth powers of three products each. Everything between them is linear, and
// stays a linear form instead of becoming a wire.
template Permute() {
    signal input in[4];
    signal output out[4];

    var full[8][4] = full_round_constants();
    var partial[56] = partial_round_constants();
    var diagonal[4] = internal_diagonal();
    signal square[88];
    signal fourth[88];
    signal fifth[88];

    var state[4];
    var mixed[4];
    for (var i = 0; i < 4; i++) {
        var row[4] = external_row(i);
        state[i] = row[0] * in[0] + row[1] * in[1] + row[2] * in[2] + row[3] * in[3];
    }
    var box = 0;
    for (var round = 0; round < 64; round++) {
        if (round < 4 || round >= 60) {
            for (var i = 0; i < 4; i++) {
                var constant = round < 4 ? full[round][i] : full[round - 56][i];
                square[box] <== (state[i] + constant) * (state[i] + constant);
                fourth[box] <== square[box] * square[box];
                fifth[box] <== fourth[box] * (state[i] + constant);
                mixed[i] = fifth[box];
                box++;
            }
            for (var i = 0; i < 4; i++) {
                var row[4] = external_row(i);
                state[i] = row[0] * mixed[0] + row[1] * mixed[1];
                state[i] += row[2] * mixed[2] + row[3] * mixed[3];
            }
        } else {
            square[box] <== (state[0] + partial[round - 4]) * (state[0] + partial[round - 4]);
            fourth[box] <== square[box] * square[box];
            fifth[box] <== fourth[box] * (state[0] + partial[round - 4]);
            state[0] = fifth[box];
            box++;
            var total = state[0] + state[1] + state[2] + state[3];
            for (var i = 0; i < 4; i++) {
                state[i] = diagonal[i] * state[i] + total;
            }
        }
    }
    for (var i = 0; i < 4; i++) {
        out[i] <== state[i];
    }
}

// The sponge over the x of a commitment, the x of a key and a message under the tag of challenges.
template Challenge() {
    signal input commitment;
    signal input key;
    signal input message;
    signal output out;

    component permute = Permute();
    permute.in[0] <== commitment;
    permute.in[1] <== key;
    permute.in[2] <== message;
    permute.in[3] <== challenge_iv();
    out <== permute.out[0];
}
