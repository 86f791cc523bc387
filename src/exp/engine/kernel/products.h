/* Products of weights and rows, and their gradients.
 *
 * Tiles differ with the instruction set, the order of a sum never does: over inputs one chain of
 * multiply-adds in the order of the inputs; over rows 16 partial sums, one for each lane, added as
 * `sums` does.
 */

#if LEVEL == 3
#define UNITS 8   /* outputs of a tile, */
#define LINES 3   /* and vectors of rows; as many sums as there are registers for */
#define SINGLE 8  /* vectors of a tile of one output */
#define SIDE 4    /* of a tile of weight gradients */
#elif LEVEL == 2
#define UNITS 4
#define LINES 1
#define SINGLE 4
#define SIDE 2
#else
#define UNITS 4
#define LINES 1
#define SINGLE 4
#define SIDE 2
#endif

/* y[o] = start[o] + sum over i of w[o * wo + i * wi] * x[i], for some outputs and vectors of rows. */
INLINE void NAME(tile)(const int units, const int lines, const float *w, int64_t wo, int64_t wi,
                       const float *bias, int more, int inputs, const float *x, int64_t xs, float *y,
                       int64_t ys) {
    vec sum[UNITS > SINGLE ? UNITS : SINGLE][LINES > SINGLE ? LINES : SINGLE];
#pragma GCC unroll 8
    for (int o = 0; o < units; o++)
#pragma GCC unroll 8
        for (int k = 0; k < lines; k++)
            sum[o][k] = more   ? NAME(load)(y + o * ys + 16 * k)
                        : bias ? NAME(all)(bias[o])
                               : NAME(all)(0.0f);
    for (int i = 0; i < inputs; i++) {
        vec in[LINES > SINGLE ? LINES : SINGLE];
#pragma GCC unroll 8
        for (int k = 0; k < lines; k++) in[k] = NAME(load)(x + i * xs + 16 * k);
#pragma GCC unroll 8
        for (int o = 0; o < units; o++) {
            vec weight = NAME(all)(w[o * wo + i * wi]);
#pragma GCC unroll 8
            for (int k = 0; k < lines; k++) sum[o][k] = NAME(fma)(weight, in[k], sum[o][k]);
        }
    }
#pragma GCC unroll 8
    for (int o = 0; o < units; o++)
#pragma GCC unroll 8
        for (int k = 0; k < lines; k++) NAME(store)(y + o * ys + 16 * k, sum[o][k]);
}

/* The same for all outputs and rows. */
static void NAME(product)(const float *w, int64_t wo, int64_t wi, const float *bias, int more,
                          int outputs, int inputs, const float *x, int64_t xs, float *y, int64_t ys,
                          int64_t rows) {
    int o = 0;
    for (; o + UNITS <= outputs; o += UNITS) {
        int64_t k = 0;
        const float *u = w + o * wo, *b = bias ? bias + o : 0;
        for (; k + 16 * LINES <= rows; k += 16 * LINES)
            NAME(tile)(UNITS, LINES, u, wo, wi, b, more, inputs, x + k, xs, y + o * ys + k, ys);
        for (; k < rows; k += 16)
            NAME(tile)(UNITS, 1, u, wo, wi, b, more, inputs, x + k, xs, y + o * ys + k, ys);
    }
    for (; o + 2 <= outputs; o += 2) {
        const float *u = w + o * wo, *b = bias ? bias + o : 0;
        int64_t k = 0;
        for (; k + 8 * SINGLE <= rows; k += 8 * SINGLE)
            NAME(tile)(2, SINGLE / 2, u, wo, wi, b, more, inputs, x + k, xs, y + o * ys + k, ys);
        for (; k < rows; k += 16)
            NAME(tile)(2, 1, u, wo, wi, b, more, inputs, x + k, xs, y + o * ys + k, ys);
    }
    for (; o < outputs; o++) {
        const float *u = w + o * wo, *b = bias ? bias + o : 0;
        int64_t k = 0;
        for (; k + 16 * SINGLE <= rows; k += 16 * SINGLE)
            NAME(tile)(1, SINGLE, u, wo, wi, b, more, inputs, x + k, xs, y + o * ys + k, ys);
        for (; k < rows; k += 16)
            NAME(tile)(1, 1, u, wo, wi, b, more, inputs, x + k, xs, y + o * ys + k, ys);
    }
}

/* gradient[o * inputs + i] += sum over rows of d[o] * x[i], for a tile of outputs and inputs. */
INLINE void NAME(corner)(const int tall, const int wide, const float *d, const float *x, int64_t ds,
                         int64_t xs, int64_t rows, float *gradient, int64_t inputs) {
    vec sum[SIDE * SIDE < 4 ? 4 : SIDE * SIDE];
#pragma GCC unroll 16
    for (int n = 0; n < tall * wide; n++) sum[n] = NAME(all)(0.0f);
    for (int64_t k = 0; k < rows; k += 16) {
        vec left[SIDE];
#pragma GCC unroll 4
        for (int o = 0; o < tall; o++) left[o] = NAME(load)(d + o * ds + k);
#pragma GCC unroll 4
        for (int i = 0; i < wide; i++) {
            vec right = NAME(load)(x + i * xs + k);
#pragma GCC unroll 4
            for (int o = 0; o < tall; o++)
                sum[o * wide + i] = NAME(fma)(left[o], right, sum[o * wide + i]);
        }
    }
    float total[SIDE * SIDE < 4 ? 4 : SIDE * SIDE];
    vec none = NAME(all)(0.0f);
    const int count = tall * wide;
#pragma GCC unroll 4
    for (int n = 0; n < count; n += 4)
        NAME(sums)(sum[n], n + 1 < count ? sum[n + 1] : none, n + 2 < count ? sum[n + 2] : none,
                   n + 3 < count ? sum[n + 3] : none, total + n);
#pragma GCC unroll 4
    for (int o = 0; o < tall; o++)
#pragma GCC unroll 4
        for (int i = 0; i < wide; i++) gradient[o * inputs + i] += total[o * wide + i];
}

static void NAME(weight_gradients)(const float *d, int64_t ds, int outputs, const float *x,
                                   int64_t xs, int inputs, int64_t rows, float *gradient) {
    int o = 0;
    for (; o + SIDE <= outputs; o += SIDE) {
        int i = 0;
        for (; i + SIDE <= inputs; i += SIDE)
            NAME(corner)(SIDE, SIDE, d + o * ds, x + i * xs, ds, xs, rows,
                         gradient + (int64_t)o * inputs + i, inputs);
        for (; i < inputs; i++)
            NAME(corner)(SIDE, 1, d + o * ds, x + i * xs, ds, xs, rows,
                         gradient + (int64_t)o * inputs + i, inputs);
    }
    for (; o < outputs; o++) {
        int i = 0;
        for (; i + SIDE <= inputs; i += SIDE)
            NAME(corner)(1, SIDE, d + o * ds, x + i * xs, ds, xs, rows,
                         gradient + (int64_t)o * inputs + i, inputs);
        for (; i < inputs; i++)
            NAME(corner)(1, 1, d + o * ds, x + i * xs, ds, xs, rows,
                         gradient + (int64_t)o * inputs + i, inputs);
    }
}

static void NAME(bias_gradients)(const float *d, int64_t ds, int outputs, int64_t rows,
                                 float *gradient) {
    for (int o = 0; o < outputs; o += 4) {
        vec sum[4];
        const int few = outputs - o < 4 ? outputs - o : 4;
        for (int n = 0; n < 4; n++) sum[n] = NAME(all)(0.0f);
        for (int n = 0; n < few; n++)
            for (int64_t k = 0; k < rows; k += 16)
                sum[n] = NAME(add)(sum[n], NAME(load)(d + (o + n) * ds + k));
        float total[4];
        NAME(sums)(sum[0], sum[1], sum[2], sum[3], total);
        for (int n = 0; n < few; n++) gradient[o + n] += total[n];
    }
}
