/* Losses of a block of rows, what else is measured, and the gradient of the logits. */

typedef struct { double loss, first, second; } NAME(Tally);

/* One row's loss and its gradient by one logit. */
INLINE vec NAME(row_loss)(const int kind, vec z, vec y, const double *h, int positive, vec *slope) {
    const vec zero = NAME(all)(0.0f), one = NAME(all)(1.0f), two = NAME(all)(2.0f);
    switch (kind) {
    case BCE: case FOCAL: {
        /* max(z, 0) - z y + log(1 + e^-|z|) */
        vec e = NAME(exp_of_minus)(z), p = NAME(sigmoid_of)(z, e), rest = NAME(log1p)(e);
        vec loss = NAME(add)(NAME(sub)(NAME(max)(zero, z), NAME(mul)(z, y)), rest);
        *slope = NAME(sub)(p, y);
        if (kind == FOCAL) {
            if (h[0] != 0.0) {
                /* H miss^g, miss = 1 - e^-H; by the logit: (g miss^(g-1) e^-H H + miss^g) dH */
                vec g = NAME(all)((float)h[0]), right = NAME(exp)(NAME(negative)(loss));
                vec miss = NAME(max)(NAME(all)(1.17549435e-38f),
                                     NAME(negative)(NAME(expm1)(NAME(negative)(loss))));
                vec power = NAME(exp)(NAME(min)(zero, NAME(mul)(g, NAME(log)(miss))));
                vec by = NAME(mul)(NAME(mul)(g, NAME(div)(power, miss)), NAME(mul)(right, loss));
                *slope = NAME(mul)(*slope, NAME(add)(by, power));
                loss = NAME(mul)(power, loss);
            }
            if (h[1] >= 0.0) {
                float alpha = (float)(positive ? h[1] : 1.0 - h[1]);
                vec share = NAME(pick)(NAME(above)(y, NAME(all)(0.5f)), NAME(all)(alpha),
                                       NAME(all)(1.0f - alpha));
                *slope = NAME(mul)(*slope, share), loss = NAME(mul)(loss, share);
            }
        } else if (h[0] != 1.0) {
            /* Rows of the positive class count h[0] times. */
            mask heavy = NAME(equal)(y, NAME(all)(positive ? 1.0f : 0.0f));
            vec count = NAME(pick)(heavy, NAME(all)((float)h[0]), one);
            *slope = NAME(mul)(*slope, count), loss = NAME(mul)(loss, count);
        }
        return loss;
    }
    case HINGE: {
        vec s = NAME(sub)(NAME(mul)(two, y), one);
        vec loss = NAME(sub)(NAME(all)((float)h[0]), NAME(mul)(s, z));
        *slope = NAME(pick)(NAME(above)(loss, zero), NAME(negative)(s), zero);
        return NAME(max)(zero, loss);
    }
    case TANH_MSE: {
        vec t = NAME(tanh)(z), error = NAME(sub)(t, NAME(sub)(NAME(mul)(two, y), one));
        *slope = NAME(mul)(error, NAME(fma)(NAME(negative)(t), t, one));
        return NAME(mul)(NAME(mul)(error, error), NAME(all)(0.5f));
    }
    case MSE: case L1: {
        vec p = NAME(sigmoid)(z), error = NAME(sub)(p, y);
        vec bend = NAME(mul)(p, NAME(sub)(one, p));
        if (kind == MSE) {
            *slope = NAME(mul)(NAME(mul)(two, error), bend);
            return NAME(mul)(error, error);
        }
        *slope = NAME(mul)(NAME(pick)(NAME(above)(error, zero), one,
                                      NAME(pick)(NAME(above)(zero, error), NAME(all)(-1.0f), zero)),
                           bend);
        return NAME(absolute)(error);
    }
    case SQUARED: {
        vec error = NAME(sub)(z, y);
        *slope = NAME(mul)(two, error);
        return NAME(mul)(error, error);
    }
    default: { /* ABSOLUTE */
        vec error = NAME(sub)(z, y);
        *slope = NAME(pick)(NAME(above)(error, zero), one,
                            NAME(pick)(NAME(above)(zero, error), NAME(all)(-1.0f), zero));
        return NAME(absolute)(error);
    }
    }
}

/* Adds a block to the tally of a pass.
 *
 * z: logits, one line of `line` floats for each output; y: targets, the class as a number.
 * weight: what a row counts, null: 1. rows: those that are no padding.
 * back: where the gradients of the logits go, each times its row's weight and `scale`; null: none.
 */
static void NAME(loss_of)(const Loss *l, const double *h, const float *z, int64_t line, const float *y,
                          const float *weight, int64_t rows,
                          float scale, float *back, NAME(Tally) *tally) {
    const int K = (int)l->outputs, numbers = l->kind == SQUARED || l->kind == ABSOLUTE;
    const vec zero = NAME(all)(0.0f), one = NAME(all)(1.0f);
    vec losses = zero, first = zero, second = zero;
    for (int64_t k = 0; k < rows; k += 16) {
        const vec real = NAME(real)(rows - k);
        const vec target = NAME(load)(y + k);
        const vec count = weight ? NAME(mul)(NAME(load)(weight + k), real) : real;
        const vec factor = NAME(mul)(count, NAME(all)(scale));
        vec loss, right;
        if (K == 1) {
            vec logit = NAME(load)(z + k), slope;
            switch (l->kind) {
#define ONE_LOGIT(KIND) \
    case KIND: \
        loss = NAME(row_loss)(KIND, logit, target, h, (int)l->positive, &slope); \
        break;
                ONE_LOGIT(BCE) ONE_LOGIT(FOCAL) ONE_LOGIT(HINGE) ONE_LOGIT(TANH_MSE) ONE_LOGIT(MSE)
                ONE_LOGIT(L1) ONE_LOGIT(SQUARED)
            default: loss = NAME(row_loss)(ABSOLUTE, logit, target, h, 1, &slope);
            }
            if (back) NAME(store)(back + k, NAME(mul)(slope, factor));
            if (numbers) {
                vec error = NAME(mul)(NAME(sub)(logit, target), real);
                first = NAME(add)(first, NAME(mul)(error, error));
                second = NAME(add)(second, NAME(absolute)(error));
            } else {
                mask positive = NAME(above)(logit, zero);
                mask wanted = NAME(above)(target, NAME(all)(0.5f));
                vec hit = NAME(pick)(positive, NAME(pick)(wanted, one, zero),
                                     NAME(pick)(wanted, zero, one));
                first = NAME(add)(first, NAME(mul)(hit, real));
            }
        } else {
            /* The largest logit, the first of equals; that of the target. */
            vec top = NAME(load)(z + k), place = zero, own = top;
            for (int c = 1; c < K; c++) {
                vec logit = NAME(load)(z + c * line + k);
                mask more = NAME(above)(logit, top);
                place = NAME(pick)(more, NAME(all)((float)c), place);
                top = NAME(max)(top, logit);
                own = NAME(pick)(NAME(equal)(target, NAME(all)((float)c)), logit, own);
            }
            right = NAME(pick)(NAME(equal)(place, target), one, zero);
            first = NAME(add)(first, NAME(mul)(right, real));
            if (l->kind == HINGE) {
                /* margin - own + the largest other; its gradient goes to the first such. */
                vec other = NAME(all)(-3.0e38f), where = NAME(all)(-1.0f);
                for (int c = 0; c < K; c++) {
                    vec logit = NAME(load)(z + c * line + k);
                    logit = NAME(pick)(NAME(equal)(target, NAME(all)((float)c)),
                                       NAME(all)(-3.0e38f), logit);
                    where = NAME(pick)(NAME(above)(logit, other), NAME(all)((float)c), where);
                    other = NAME(max)(other, logit);
                }
                loss = NAME(add)(NAME(sub)(NAME(all)((float)h[0]), own), other);
                mask pays = NAME(above)(loss, zero);
                for (int c = 0; back && c < K; c++) {
                    vec name = NAME(all)((float)c), slope = zero;
                    slope = NAME(pick)(NAME(equal)(where, name), one, slope);
                    slope = NAME(pick)(NAME(equal)(target, name), NAME(all)(-1.0f), slope);
                    slope = NAME(pick)(pays, slope, zero);
                    NAME(store)(back + c * line + k, NAME(mul)(slope, factor));
                }
                loss = NAME(max)(zero, loss);
            } else {
                vec sum = zero;
                for (int c = 0; c < K; c++)
                    sum = NAME(add)(sum, NAME(exp)(NAME(sub)(NAME(load)(z + c * line + k), top)));
                vec whole = NAME(add)(top, NAME(log)(sum)), share = NAME(div)(one, sum);
                if (l->kind == CROSS_ENTROPY || l->kind == FOCAL) {
                    loss = NAME(sub)(whole, own);
                    vec bend = one, mean = zero;
                    const float smooth = l->kind == CROSS_ENTROPY ? (float)h[0] : 0.0f;
                    if (l->kind == FOCAL && h[0] != 0.0) {
                        vec g = NAME(all)((float)h[0]), chance = NAME(exp)(NAME(negative)(loss));
                        vec miss = NAME(max)(NAME(all)(1.17549435e-38f),
                                             NAME(negative)(NAME(expm1)(NAME(negative)(loss))));
                        vec power = NAME(exp)(NAME(min)(zero, NAME(mul)(g, NAME(log)(miss))));
                        vec by = NAME(mul)(NAME(mul)(g, NAME(div)(power, miss)),
                                           NAME(mul)(chance, loss));
                        bend = NAME(add)(by, power);
                        loss = NAME(mul)(power, loss);
                    }
                    if (smooth != 0.0f) {
                        for (int c = 0; c < K; c++)
                            mean = NAME(add)(mean, NAME(sub)(whole, NAME(load)(z + c * line + k)));
                        mean = NAME(div)(mean, NAME(all)((float)K));
                        loss = NAME(fma)(NAME(all)(1.0f - smooth), loss, NAME(mul)(NAME(all)(smooth), mean));
                    }
                    for (int c = 0; back && c < K; c++) {
                        vec name = NAME(all)((float)c);
                        vec e = NAME(exp)(NAME(sub)(NAME(load)(z + c * line + k), top));
                        vec p = NAME(mul)(e, share);
                        mask is = NAME(equal)(target, name);
                        vec slope = NAME(mul)(bend, NAME(sub)(p, NAME(pick)(is, one, zero)));
                        if (smooth != 0.0f) {
                            vec soft = NAME(sub)(p, NAME(all)(1.0f / (float)K));
                            slope = NAME(fma)(NAME(all)(1.0f - smooth), slope,
                                              NAME(mul)(NAME(all)(smooth), soft));
                        }
                        NAME(store)(back + c * line + k, NAME(mul)(slope, factor));
                    }
                } else { /* MSE, L1: between probabilities and one-hot labels, the mean over classes */
                    const vec each = NAME(all)(1.0f / (float)K), two = NAME(all)(2.0f);
                    vec dot = zero; /* sum over classes of p times the gradient by p */
                    loss = zero;
                    for (int c = 0; c < K; c++) {
                        vec p = NAME(mul)(NAME(exp)(NAME(sub)(NAME(load)(z + c * line + k), top)), share);
                        mask is = NAME(equal)(target, NAME(all)((float)c));
                        vec error = NAME(sub)(p, NAME(pick)(is, one, zero)), by;
                        if (l->kind == MSE) {
                            loss = NAME(fma)(error, error, loss), by = NAME(mul)(two, error);
                        } else {
                            loss = NAME(add)(loss, NAME(absolute)(error));
                            by = NAME(pick)(is, NAME(all)(-1.0f), one);
                        }
                        dot = NAME(fma)(p, by, dot);
                    }
                    loss = NAME(mul)(loss, each);
                    for (int c = 0; back && c < K; c++) {
                        vec p = NAME(mul)(NAME(exp)(NAME(sub)(NAME(load)(z + c * line + k), top)), share);
                        mask is = NAME(equal)(target, NAME(all)((float)c));
                        vec error = NAME(sub)(p, NAME(pick)(is, one, zero));
                        vec by = l->kind == MSE ? NAME(mul)(two, error)
                                                : NAME(pick)(is, NAME(all)(-1.0f), one);
                        vec slope = NAME(mul)(NAME(mul)(p, NAME(sub)(by, dot)), each);
                        NAME(store)(back + c * line + k, NAME(mul)(slope, factor));
                    }
                }
            }
        }
        losses = NAME(fma)(loss, count, losses);
    }
    float total[4];
    NAME(sums)(losses, first, second, zero, total);
    tally->loss += total[0], tally->first += total[1], tally->second += total[2];
}
