pragma circom 2.1.6;

include "bits.circom";
include "edwards.circom";
include "poseidon2.circom";

// S B = R + h K with every number canonical, and h the low 128 bits of the challenge's hash. K is a
// registered key, so it is in the subgroup.
template Signature() {
    signal input key[2];
    signal input commitment[2];
    signal input response;
    signal input message;

    component curve = OnCurve();
    curve.in <== commitment;
    signal inverse <-- 1 / commitment[0];
    inverse * commitment[0] === 1;

    component challenge = Challenge();
    challenge.commitment <== commitment[0];
    challenge.key <== key[0];
    challenge.message <== message;

    component challenge_bits = Bits(254);
    challenge_bits.in <== challenge.out;
    component challenge_below = AtMost(254, -1);
    challenge_below.bits <== challenge_bits.out;
    component response_bits = Bits(251);
    response_bits.in <== response;
    component response_below = AtMost(251, subgroup_order() - 1);
    response_below.bits <== response_bits.out;

    component left = MultiplyBase();
    left.bits <== response_bits.out;
    component product = Multiply(128);
    for (var i = 0; i < 128; i++) {
        product.bits[i] <== challenge_bits.out[i];
    }
    product.point <== key;
    component right = Add();
    right.left <== commitment;
    right.right <== product.out;
    left.out === right.out;
}

// Trades of two signatures, twenty chained permutations and twenty values of 64 bits. The last
// chain value is the only public word.
template Yardstick(trades) {
    signal input key[trades][2][2];
    signal input commitment[trades][2][2];
    signal input response[trades][2];
    signal input message[trades][2];
    signal input value[trades][20];
    signal output chained;

    component signatures[trades][2];
    component ranges[trades][20];
    component states[trades][20];
    for (var trade = 0; trade < trades; trade++) {
        for (var side = 0; side < 2; side++) {
            signatures[trade][side] = Signature();
            signatures[trade][side].key <== key[trade][side];
            signatures[trade][side].commitment <== commitment[trade][side];
            signatures[trade][side].response <== response[trade][side];
            signatures[trade][side].message <== message[trade][side];
        }
        for (var i = 0; i < 20; i++) {
            ranges[trade][i] = Bits(64);
            ranges[trade][i].in <== value[trade][i];
            states[trade][i] = Permute();
            if (i > 0) {
                states[trade][i].in[0] <== states[trade][i - 1].out[0] + value[trade][i];
                states[trade][i].in[1] <== states[trade][i - 1].out[1];
                states[trade][i].in[2] <== states[trade][i - 1].out[2];
                states[trade][i].in[3] <== states[trade][i - 1].out[3];
            } else {
                if (trade > 0) {
                    states[trade][i].in[0] <== states[trade - 1][19].out[0] + value[trade][i];
                } else {
                    states[trade][i].in[0] <== value[trade][i];
                }
                states[trade][i].in[1] <== message[trade][0];
                states[trade][i].in[2] <== message[trade][1];
                states[trade][i].in[3] <== 0;
            }
        }
    }
    chained <== states[trades - 1][19].out[0];
}
