/* Layer norm and batch norm. */

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
