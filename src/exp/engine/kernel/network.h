/* Forward and backward pass of one run's network over a block of rows.
 *
 * Feature-major: slot s holds `width[s]` lines of `block` floats. Slot 0 are the features. A sum over
 * inputs is one chain of multiply-adds in the order of the inputs; a sum over rows is 16 partial
 * sums, one for each lane, added as `sums` does. Tiles differ with the instruction set, the order of
 * a sum never does.
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

/* An activation of one vector. */
INLINE vec NAME(activated)(const int kind, vec x, vec a, vec b) {
    const vec zero = NAME(all)(0.0f), one = NAME(all)(1.0f);
    switch (kind) {
    case RELU: return NAME(max)(zero, x);
    case LEAKY_RELU: return NAME(pick)(NAME(above)(x, zero), x, NAME(mul)(x, a));
    case ELU: return NAME(pick)(NAME(above)(x, zero), x, NAME(mul)(a, NAME(expm1)(NAME(min)(zero, x))));
    case SELU: {
        vec low = NAME(mul)(NAME(all)(1.67326324f), NAME(expm1)(NAME(min)(zero, x)));
        return NAME(mul)(NAME(all)(1.05070099f), NAME(pick)(NAME(above)(x, zero), x, low));
    }
    case GELU: {
        vec e = NAME(erf)(NAME(mul)(x, NAME(all)(0.70710678f)));
        return NAME(mul)(NAME(mul)(x, NAME(all)(0.5f)), NAME(add)(one, e));
    }
    case SILU: return NAME(mul)(x, NAME(sigmoid)(x));
    case SOFTPLUS: { /* as torch: x itself where beta x is above b */
        vec bx = NAME(mul)(a, x);
        return NAME(pick)(NAME(above)(bx, b), x, NAME(div)(NAME(softplus)(bx), a));
    }
    case SIGMOID: return NAME(sigmoid)(x);
    case TANH: return NAME(tanh)(x);
    case TANH_FROM_EXP: { /* (e^2x - 1) / (e^2x + 1), as exp.components.activations has it */
        vec near = NAME(min)(NAME(all)(20.0f), NAME(max)(NAME(all)(-20.0f), x));
        vec z = NAME(expm1)(NAME(add)(near, near));
        return NAME(div)(z, NAME(add)(z, NAME(all)(2.0f)));
    }
    case CLAMP: return NAME(min)(b, NAME(max)(a, x));
    default: return x;
    }
}

/* Its gradient: d times the derivative at x, where the activation is y. */
INLINE vec NAME(inactivated)(const int kind, vec d, vec x, vec y, vec a, vec b) {
    const vec zero = NAME(all)(0.0f), one = NAME(all)(1.0f);
    switch (kind) {
    case RELU: return NAME(pick)(NAME(above)(y, zero), d, zero);
    case LEAKY_RELU: return NAME(pick)(NAME(above)(x, zero), d, NAME(mul)(d, a));
    case ELU: return NAME(pick)(NAME(above)(x, zero), d, NAME(mul)(d, NAME(add)(y, a)));
    case SELU: {
        vec low = NAME(add)(y, NAME(all)(1.67326324f * 1.05070099f));
        return NAME(mul)(d, NAME(pick)(NAME(above)(x, zero), NAME(all)(1.05070099f), low));
    }
    case GELU: { /* the distribution, and x times its density */
        vec e = NAME(erf)(NAME(mul)(x, NAME(all)(0.70710678f)));
        vec half = NAME(mul)(NAME(all)(-0.5f), NAME(mul)(x, x));
        vec density = NAME(mul)(NAME(all)(0.39894228f), NAME(exp)(half));
        vec chance = NAME(mul)(NAME(all)(0.5f), NAME(add)(one, e));
        return NAME(mul)(d, NAME(fma)(x, density, chance));
    }
    case SILU: { /* s (1 + x (1 - s)) */
        vec s = NAME(sigmoid)(x);
        return NAME(mul)(d, NAME(mul)(s, NAME(fma)(x, NAME(sub)(one, s), one)));
    }
    case SOFTPLUS: {
        vec bx = NAME(mul)(a, x);
        return NAME(pick)(NAME(above)(bx, b), d, NAME(mul)(d, NAME(sigmoid)(bx)));
    }
    case SIGMOID: return NAME(mul)(d, NAME(mul)(y, NAME(sub)(one, y)));
    case TANH: case TANH_FROM_EXP: return NAME(mul)(d, NAME(fma)(NAME(negative)(y), y, one));
    case CLAMP: {
        vec low = NAME(pick)(NAME(above)(x, a), d, zero);
        return NAME(pick)(NAME(above)(b, x), low, zero);
    }
    default: return d;
    }
}

#define ACTIVATIONS(DO) \
    DO(RELU) DO(LEAKY_RELU) DO(ELU) DO(SELU) DO(GELU) DO(SILU) DO(SOFTPLUS) DO(SIGMOID) DO(TANH) \
    DO(TANH_FROM_EXP) DO(CLAMP) DO(IDENTITY)

/* Over the features of each row: y = (x - mean) * r * weight + bias, r = 1 / sqrt(variance + eps).
 * `own` keeps mean and r. */
static void NAME(normalize)(const Op *op, const float *w, const float *x, int64_t xs, float *y,
                            int64_t line, float *own, int64_t rows) {
    const vec count = NAME(all)((float)op->inputs), eps = NAME(all)(op->a), one = NAME(all)(1.0f);
    for (int64_t k = 0; k < rows; k += 16) {
        vec mean = NAME(all)(0.0f), spread = mean;
        for (int i = 0; i < op->inputs; i++) mean = NAME(add)(mean, NAME(load)(x + i * xs + k));
        mean = NAME(div)(mean, count);
        for (int i = 0; i < op->inputs; i++) {
            vec off = NAME(sub)(NAME(load)(x + i * xs + k), mean);
            spread = NAME(fma)(off, off, spread);
        }
        vec r = NAME(div)(one, NAME(root)(NAME(add)(NAME(div)(spread, count), eps)));
        NAME(store)(own + k, mean);
        NAME(store)(own + line + k, r);
        for (int i = 0; i < op->inputs; i++) {
            vec v = NAME(mul)(NAME(sub)(NAME(load)(x + i * xs + k), mean), r);
            if (op->weight >= 0) v = NAME(mul)(v, NAME(all)(w[op->weight + i]));
            if (op->bias >= 0) v = NAME(add)(v, NAME(all)(w[op->bias + i]));
            NAME(store)(y + i * line + k, v);
        }
    }
}

INLINE void NAME(put)(int more, float *to, vec value) {
    NAME(store)(to, more ? NAME(add)(NAME(load)(to), value) : value);
}

/* dx = r (e - mean(e) - u mean(e u)), with e = d weight and u = (x - mean) r. */
static void NAME(denormalize)(const Op *op, const float *w, const float *x, int64_t xs,
                              const float *d, int64_t line, const float *own, int64_t rows,
                              float *to, float *gradient) {
    const vec count = NAME(all)((float)op->inputs);
    if (op->bias >= 0) NAME(bias_gradients)(d, line, op->inputs, rows, gradient + op->bias);
    for (int i = 0; op->weight >= 0 && i < op->inputs; i++) {
        vec sum = NAME(all)(0.0f);
        for (int64_t k = 0; k < rows; k += 16) {
            vec u = NAME(mul)(NAME(sub)(NAME(load)(x + i * xs + k), NAME(load)(own + k)),
                              NAME(load)(own + line + k));
            sum = NAME(fma)(NAME(load)(d + i * line + k), u, sum);
        }
        gradient[op->weight + i] += NAME(sum)(sum);
    }
    for (int64_t k = 0; to && k < rows; k += 16) {
        const vec mean = NAME(load)(own + k), r = NAME(load)(own + line + k);
        vec plain = NAME(all)(0.0f), with = plain;
        for (int i = 0; i < op->inputs; i++) {
            vec e = NAME(load)(d + i * line + k);
            if (op->weight >= 0) e = NAME(mul)(e, NAME(all)(w[op->weight + i]));
            vec u = NAME(mul)(NAME(sub)(NAME(load)(x + i * xs + k), mean), r);
            plain = NAME(add)(plain, e), with = NAME(fma)(e, u, with);
        }
        plain = NAME(div)(plain, count), with = NAME(div)(with, count);
        for (int i = 0; i < op->inputs; i++) {
            vec e = NAME(load)(d + i * line + k);
            if (op->weight >= 0) e = NAME(mul)(e, NAME(all)(w[op->weight + i]));
            vec u = NAME(mul)(NAME(sub)(NAME(load)(x + i * xs + k), mean), r);
            vec by = NAME(sub)(NAME(sub)(e, plain), NAME(mul)(u, with));
            NAME(put)(op->more, to + i * line + k, NAME(mul)(r, by));
        }
    }
}

static const float NAME(lanes)[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* 1 for the rows of a vector that are no padding, 0 for the others. */
INLINE vec NAME(real)(int64_t left) {
    return NAME(load)(NAME(lanes) + (left >= 16 ? 0 : left <= 0 ? 16 : 16 - left));
}

/* Over the rows of each feature: y = (x - mean) * r * weight + bias. While it learns, mean and variance
 * are those of the block, which then holds the whole batch, and the running ones move to them.
 * `own` keeps mean and r of each feature. */
static void NAME(normalize_batch)(const Op *op, const float *w, const float *x, int64_t xs, float *y,
                                  int64_t line, float *own, int64_t rows, int64_t count, int learn,
                                  const Statistics *s, int64_t run) {
    float *running = s->mean[0] + run * s->outputs, *spread = s->variance[0] + run * s->outputs;
    float share = 0.0f;
    if (learn) {
        const int64_t batches = ++s->batches[0][run];
        share = s->momentum >= 0.0 ? (float)s->momentum : 1.0f / (float)batches;
    }
    for (int i = 0; i < op->outputs; i++) {
        float mean, variance;
        if (learn) {
            vec sum = NAME(all)(0.0f), squares = sum;
            for (int64_t k = 0; k < rows; k += 16)
                sum = NAME(fma)(NAME(load)(x + i * xs + k), NAME(real)(count - k), sum);
            mean = NAME(sum)(sum) / (float)count;
            const vec middle = NAME(all)(mean);
            for (int64_t k = 0; k < rows; k += 16) {
                vec off = NAME(sub)(NAME(load)(x + i * xs + k), middle);
                off = NAME(mul)(off, NAME(real)(count - k));
                squares = NAME(fma)(off, off, squares);
            }
            variance = NAME(sum)(squares) / (float)count;
            const float unbiased = variance * (float)count / (float)(count > 1 ? count - 1 : 1);
            const float up = share * (mean - running[i]), out = share * (unbiased - spread[i]);
            running[i] = running[i] + up, spread[i] = spread[i] + out;
        } else {
            mean = running[i], variance = spread[i];
        }
        const float r = 1.0f / sqrtf(variance + op->a);
        own[i] = mean, own[op->outputs + i] = r;
        const vec middle = NAME(all)(mean), factor = NAME(all)(r);
        const vec weight = NAME(all)(op->weight >= 0 ? w[op->weight + i] : 1.0f);
        const vec bias = NAME(all)(op->bias >= 0 ? w[op->bias + i] : 0.0f);
        for (int64_t k = 0; k < rows; k += 16) {
            vec u = NAME(mul)(NAME(sub)(NAME(load)(x + i * xs + k), middle), factor);
            NAME(store)(y + i * line + k, NAME(add)(NAME(mul)(u, weight), bias));
        }
    }
}

/* dx = weight r (d - mean(d) - u mean(d u)) over the rows, with u = (x - mean) r. */
static void NAME(denormalize_batch)(const Op *op, const float *w, const float *x, int64_t xs,
                                    const float *d, int64_t line, const float *own, int64_t rows,
                                    int64_t count, float *to, float *gradient) {
    for (int i = 0; i < op->outputs; i++) {
        const vec middle = NAME(all)(own[i]), factor = NAME(all)(own[op->outputs + i]);
        vec plain = NAME(all)(0.0f), with = plain;
        for (int64_t k = 0; k < rows; k += 16) {
            vec u = NAME(mul)(NAME(sub)(NAME(load)(x + i * xs + k), middle), factor);
            vec by = NAME(mul)(NAME(load)(d + i * line + k), NAME(real)(count - k));
            plain = NAME(add)(plain, by), with = NAME(fma)(by, u, with);
        }
        const float all = NAME(sum)(plain), turned = NAME(sum)(with);
        if (op->weight >= 0) gradient[op->weight + i] += turned;
        if (op->bias >= 0) gradient[op->bias + i] += all;
        const vec first = NAME(all)(all / (float)count), second = NAME(all)(turned / (float)count);
        const vec scale = NAME(mul)(NAME(all)(op->weight >= 0 ? w[op->weight + i] : 1.0f), factor);
        for (int64_t k = 0; to && k < rows; k += 16) {
            vec u = NAME(mul)(NAME(sub)(NAME(load)(x + i * xs + k), middle), factor);
            vec by = NAME(sub)(NAME(sub)(NAME(load)(d + i * line + k), first), NAME(mul)(u, second));
            by = NAME(mul)(NAME(mul)(by, scale), NAME(real)(count - k));
            NAME(put)(op->more, to + i * line + k, by);
        }
    }
}

/* Runs the network on the rows of a block that are in slot 0; the first `count` are no padding.
 *
 * rates, draws: of dropout, `draws` as many as there are units and padded rows for each such layer
 * in turn; null where nothing is dropped.
 */
static void NAME(forward)(const Program *p, const float *w, float *slots, const float *input,
                          int64_t input_stride, int64_t rows, int64_t count, int learn,
                          const Statistics *statistics, int64_t run, const float *rates,
                          const float *draws, int64_t drawn) {
    const int64_t line = p->block;
#define SLOT(s) ((s) ? slots + p->starts[s] * line : (float *)input)
#define STRIDE(s) ((s) ? line : input_stride)
    for (int64_t n = 0; n < p->ops; n++) {
        const Op *op = p->op + n;
        const float *x = SLOT(op->in);
        float *y = SLOT(op->out);
        const int64_t xs = STRIDE(op->in), ys = line;
        vec a = NAME(all)(op->a), b = NAME(all)(op->b);
        switch (op->kind) {
        case LINEAR:
            NAME(product)(w + op->weight, op->inputs, 1, op->bias < 0 ? 0 : w + op->bias, 0,
                          op->outputs, op->inputs, x, xs, y, ys, rows);
            break;
#define ACTIVATE(KIND) \
    case KIND: \
        for (int o = 0; o < op->outputs; o++) \
            for (int64_t k = 0; k < rows; k += 16) \
                NAME(store)(y + o * ys + k, NAME(activated)(KIND, NAME(load)(x + o * xs + k), a, b)); \
        break;
            ACTIVATIONS(ACTIVATE)
        case DROPOUT: {
            const vec rate = NAME(all)(draws ? rates[op->which] : 0.0f);
            const vec kept = NAME(sub)(NAME(all)(1.0f), rate);
            for (int o = 0; o < op->outputs; o++)
                for (int64_t k = 0; k < rows; k += 16) {
                    vec v = NAME(load)(x + o * xs + k);
                    if (draws) {
                        mask off = NAME(above)(rate, NAME(load)(draws + o * drawn + k));
                        v = NAME(div)(NAME(pick)(off, NAME(all)(0.0f), v), kept);
                    }
                    NAME(store)(y + o * ys + k, v);
                }
            if (draws) draws += op->outputs * drawn;
            break;
        }
        case JOIN:
            for (int o = 0; o < op->inputs; o++) memcpy(y + o * ys, x + o * xs, rows * sizeof *x);
            for (int o = op->inputs; o < op->outputs; o++)
                memcpy(y + o * ys, SLOT(op->in2) + (o - op->inputs) * STRIDE(op->in2),
                       rows * sizeof *x);
            break;
        case SUM:
        case PRODUCT:
            for (int o = 0; o < op->outputs; o++)
                for (int64_t k = 0; k < rows; k += 16) {
                    vec one = NAME(load)(x + o * xs + k);
                    vec other = NAME(load)(SLOT(op->in2) + o * STRIDE(op->in2) + k);
                    NAME(store)(y + o * ys + k, op->kind == SUM ? NAME(add)(one, other)
                                                                : NAME(mul)(one, other));
                }
            break;
        case COLUMNS:
            for (int o = 0; o < op->outputs; o++)
                memcpy(y + o * ys, x + (op->which + o) * xs, rows * sizeof *x);
            break;
        case LAYER_NORM:
            NAME(normalize)(op, w, x, xs, y, line, SLOT(op->which), rows);
            break;
        case BATCH_NORM:
            NAME(normalize_batch)(op, w, x, xs, y, line, SLOT(op->own), rows, count, learn,
                                  statistics + op->which, run);
            break;
        }
    }
}

/* The gradients of the weights, added to `gradient`, from those of the last slot, which are in
 * `back`. Slot 0 has none. */
static void NAME(backward)(const Program *p, const float *w, float *slots, float *back,
                           const float *input, int64_t input_stride, int64_t rows, int64_t count,
                           const float *rates, const float *draws, int64_t drawn, float *gradient) {
    const int64_t line = p->block;
    if (draws)
        for (int64_t n = 0; n < p->ops; n++)
            if (p->op[n].kind == DROPOUT) draws += p->op[n].outputs * drawn;
    for (int64_t n = p->ops - 1; n >= 0; n--) {
        const Op *op = p->op + n;
        const float *x = SLOT(op->in), *y = SLOT(op->out);
        const float *d = back + p->starts[op->out] * line;
        const int64_t xs = STRIDE(op->in), ys = line;
        float *to = op->in ? back + p->starts[op->in] * line : 0;
        vec a = NAME(all)(op->a), b = NAME(all)(op->b);
        switch (op->kind) {
        case LINEAR:
            NAME(weight_gradients)(d, line, op->outputs, x, xs, op->inputs, rows,
                                   gradient + op->weight);
            if (op->bias >= 0)
                NAME(bias_gradients)(d, line, op->outputs, rows, gradient + op->bias);
            if (to)
                NAME(product)(w + op->weight, 1, op->inputs, 0, op->more, op->inputs, op->outputs, d,
                              line, to, line, rows);
            break;
#define INACTIVATE(KIND) \
    case KIND: \
        for (int o = 0; to && o < op->outputs; o++) \
            for (int64_t k = 0; k < rows; k += 16) \
                NAME(put)(op->more, to + o * line + k, \
                          NAME(inactivated)(KIND, NAME(load)(d + o * line + k), \
                                            NAME(load)(x + o * xs + k), \
                                            NAME(load)(y + o * ys + k), a, b)); \
        break;
            ACTIVATIONS(INACTIVATE)
        case DROPOUT: {
            const vec rate = NAME(all)(draws ? rates[op->which] : 0.0f);
            const vec kept = NAME(sub)(NAME(all)(1.0f), rate);
            if (draws) draws -= op->outputs * drawn;
            for (int o = 0; to && o < op->outputs; o++)
                for (int64_t k = 0; k < rows; k += 16) {
                    vec v = NAME(load)(d + o * line + k);
                    if (draws) {
                        mask off = NAME(above)(rate, NAME(load)(draws + o * drawn + k));
                        v = NAME(div)(NAME(pick)(off, NAME(all)(0.0f), v), kept);
                    }
                    NAME(put)(op->more, to + o * line + k, v);
                }
            break;
        }
        case LAYER_NORM:
            NAME(denormalize)(op, w, x, xs, d, line, SLOT(op->which), rows, to, gradient);
            break;
        case BATCH_NORM:
            NAME(denormalize_batch)(op, w, x, xs, d, line, SLOT(op->own), rows, count, to, gradient);
            break;
        case PRODUCT:
            for (int part = 0; part < 2; part++) {
                const int slot = part ? op->in2 : op->in, more = part ? op->more2 : op->more;
                const int other = part ? op->in : op->in2;
                float *into = slot ? back + p->starts[slot] * line : 0;
                for (int o = 0; into && o < op->outputs; o++)
                    for (int64_t k = 0; k < rows; k += 16)
                        NAME(put)(more, into + o * line + k,
                                  NAME(mul)(NAME(load)(d + o * line + k),
                                            NAME(load)(SLOT(other) + o * STRIDE(other) + k)));
            }
            break;
        case JOIN:
        case SUM:
            for (int part = 0; part < 2; part++) {
                const int slot = part ? op->in2 : op->in, more = part ? op->more2 : op->more;
                const int first = part && op->kind == JOIN ? op->inputs : 0;
                const int last = !part && op->kind == JOIN ? op->inputs : op->outputs;
                float *into = slot ? back + p->starts[slot] * line : 0;
                for (int o = first; into && o < last; o++)
                    for (int64_t k = 0; k < rows; k += 16)
                        NAME(put)(more, into + (o - first) * line + k, NAME(load)(d + o * line + k));
            }
            break;
        }
    }
#undef SLOT
#undef STRIDE
}
