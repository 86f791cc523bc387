/* exp, log, tanh, erf and their kin of 16 floats at once, from IEEE operations only.
 *
 * Polynomials and reductions as in Cephes (Moshier) for exp, log and tanh; erf in two pieces, each a
 * minimax polynomial. Errors stand in tests/test_kernel_functions.py, against float64.
 */

INLINE vec NAME(absolute)(vec x) {
    return NAME(floats)(NAME(and_ints)(NAME(bits)(x), NAME(all_ints)(0x7fffffff)));
}

INLINE vec NAME(with_sign)(vec size, vec sign) {
    ints s = NAME(and_ints)(NAME(bits)(sign), NAME(all_ints)((int)0x80000000u));
    return NAME(floats)(NAME(or_ints)(NAME(bits)(size), s));
}

INLINE vec NAME(negative)(vec x) { return NAME(sub)(NAME(all)(0.0f), x); }

/* e^x for x up to 88; 0 below -87.3. NaN stays NaN. */
INLINE vec NAME(exp)(vec x) {
    mask gone = NAME(above)(NAME(all)(-87.3f), x);
    vec magic = NAME(all)(12582912.0f); /* 1.5 * 2^23: adding it rounds to a whole number */
    x = NAME(min)(NAME(all)(88.0f), NAME(max)(NAME(all)(-87.3f), x));
    vec shifted = NAME(fma)(x, NAME(all)(1.44269504f), magic);
    vec n = NAME(sub)(shifted, magic);
    vec r = NAME(fma)(n, NAME(all)(-0.693359375f), x);
    r = NAME(fma)(n, NAME(all)(2.12194440e-4f), r);
    vec p = NAME(all)(1.9875691500e-4f);
    p = NAME(fma)(p, r, NAME(all)(1.3981999507e-3f));
    p = NAME(fma)(p, r, NAME(all)(8.3334519073e-3f));
    p = NAME(fma)(p, r, NAME(all)(4.1665795894e-2f));
    p = NAME(fma)(p, r, NAME(all)(1.6666665459e-1f));
    p = NAME(fma)(p, r, NAME(all)(5.0000001201e-1f));
    p = NAME(add)(NAME(fma)(p, NAME(mul)(r, r), r), NAME(all)(1.0f));
    ints power = NAME(sub_ints)(NAME(bits)(shifted), NAME(bits)(magic));
    p = NAME(floats)(NAME(add_ints)(NAME(bits)(p), NAME(exponent_up)(power)));
    p = NAME(pick)(NAME(equal)(x, x), p, x);
    return NAME(pick)(gone, NAME(all)(0.0f), p);
}

/* log(1 + x) for 0 <= x <= 1: 2 artanh(x / (2 + x)). */
INLINE vec NAME(log1p)(vec x) {
    vec s = NAME(div)(x, NAME(add)(NAME(all)(2.0f), x)), z = NAME(mul)(s, s);
    vec p = NAME(all)(2.0f / 17);
    p = NAME(fma)(p, z, NAME(all)(2.0f / 15));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 13));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 11));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 9));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 7));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 5));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 3));
    vec twice = NAME(add)(s, s);
    return NAME(fma)(NAME(mul)(s, z), p, twice);
}

/* log(x) for normal x > 0; of 0 a number near -87.3. */
INLINE vec NAME(log)(vec x) {
    x = NAME(max)(NAME(all)(1.17549435e-38f), x);
    ints b = NAME(sub_ints)(NAME(bits)(x), NAME(all_ints)(0x3f3504f3)); /* sqrt(1/2) */
    vec n = NAME(numbers)(NAME(exponent_down)(b));
    ints m = NAME(add_ints)(NAME(and_ints)(b, NAME(all_ints)(0x007fffff)), NAME(all_ints)(0x3f3504f3));
    vec f = NAME(sub)(NAME(floats)(m), NAME(all)(1.0f));
    vec s = NAME(div)(f, NAME(add)(NAME(all)(2.0f), f)), z = NAME(mul)(s, s);
    vec p = NAME(all)(2.0f / 11);
    p = NAME(fma)(p, z, NAME(all)(2.0f / 9));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 7));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 5));
    p = NAME(fma)(p, z, NAME(all)(2.0f / 3));
    vec l = NAME(fma)(NAME(mul)(s, z), p, NAME(add)(s, s));
    l = NAME(fma)(n, NAME(all)(-2.12194440e-4f), l);
    l = NAME(fma)(n, NAME(all)(0.693359375f), l);
    return NAME(pick)(NAME(equal)(x, x), l, x);
}

INLINE vec NAME(tanh)(vec x) {
    vec a = NAME(absolute)(x), z = NAME(mul)(x, x);
    vec p = NAME(all)(-5.70498872745e-3f);
    p = NAME(fma)(p, z, NAME(all)(2.06390887954e-2f));
    p = NAME(fma)(p, z, NAME(all)(-5.37397155531e-2f));
    p = NAME(fma)(p, z, NAME(all)(1.33314422036e-1f));
    p = NAME(fma)(p, z, NAME(all)(-3.33332819422e-1f));
    p = NAME(fma)(NAME(mul)(p, z), x, x);
    vec e = NAME(exp)(NAME(mul)(NAME(all)(-2.0f), a));
    vec q = NAME(div)(NAME(sub)(NAME(all)(1.0f), e), NAME(add)(NAME(all)(1.0f), e));
    return NAME(pick)(NAME(above)(NAME(all)(0.625f), a), p, NAME(with_sign)(q, x));
}

/* 1 / (1 + e^-x), from e^-|x|, which is `e`. */
INLINE vec NAME(sigmoid_of)(vec x, vec e) {
    vec one = NAME(all)(1.0f), p = NAME(div)(one, NAME(add)(one, e));
    return NAME(pick)(NAME(above)(NAME(all)(0.0f), x), NAME(mul)(e, p), p);
}

INLINE vec NAME(exp_of_minus)(vec x) { return NAME(exp)(NAME(negative)(NAME(absolute)(x))); }

INLINE vec NAME(sigmoid)(vec x) { return NAME(sigmoid_of)(x, NAME(exp_of_minus)(x)); }

/* log(1 + e^x) */
INLINE vec NAME(softplus)(vec x) {
    return NAME(add)(NAME(max)(NAME(all)(0.0f), x), NAME(log1p)(NAME(exp_of_minus)(x)));
}

/* e^x - 1; near 0 by its series, where the difference would lose digits. */
INLINE vec NAME(expm1)(vec x) {
    vec p = NAME(all)(1.0f / 5040);
    p = NAME(fma)(p, x, NAME(all)(1.0f / 720));
    p = NAME(fma)(p, x, NAME(all)(1.0f / 120));
    p = NAME(fma)(p, x, NAME(all)(1.0f / 24));
    p = NAME(fma)(p, x, NAME(all)(1.0f / 6));
    p = NAME(fma)(p, x, NAME(all)(0.5f));
    p = NAME(fma)(NAME(mul)(p, x), x, x);
    return NAME(pick)(NAME(above)(NAME(all)(0.4f), NAME(absolute)(x)), p,
                      NAME(sub)(NAME(exp)(x), NAME(all)(1.0f)));
}

INLINE vec NAME(erf)(vec x) {
    vec t = NAME(absolute)(x), s = NAME(mul)(x, x);
    vec r = NAME(fma)(NAME(all)(-1.72853470e-5f), t, NAME(all)(3.83197126e-4f));
    vec u = NAME(fma)(NAME(all)(-3.88396438e-3f), t, NAME(all)(2.42546219e-2f));
    r = NAME(fma)(r, s, u);
    r = NAME(fma)(r, t, NAME(all)(-1.06777877e-1f));
    r = NAME(fma)(r, t, NAME(all)(-6.34846687e-1f));
    r = NAME(fma)(r, t, NAME(all)(-1.28717512e-1f));
    r = NAME(fma)(r, t, NAME(negative)(t));
    r = NAME(with_sign)(NAME(sub)(NAME(all)(1.0f), NAME(exp)(r)), x);
    vec p = NAME(all)(-5.96761703e-4f);
    p = NAME(fma)(p, s, NAME(all)(4.99119423e-3f));
    p = NAME(fma)(p, s, NAME(all)(-2.67681349e-2f));
    p = NAME(fma)(p, s, NAME(all)(1.12819925e-1f));
    p = NAME(fma)(p, s, NAME(all)(-3.76125336e-1f));
    p = NAME(fma)(p, s, NAME(all)(1.28379166e-1f));
    p = NAME(fma)(p, x, x);
    /* Beyond 4 the first polynomial grows again; erf is 1 there. */
    r = NAME(pick)(NAME(above)(t, NAME(all)(4.0f)), NAME(with_sign)(NAME(all)(1.0f), x), r);
    return NAME(pick)(NAME(above)(NAME(all)(0.927734375f), t), p, r);
}
