/* Forward and backward pass of one run's network over a block of rows.
 *
 * Feature-major: slot s holds `width[s]` lines of `block` floats. Slot 0 are the features.
 */

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
            NAME(normalize)(op, w, x, xs, y, line, SLOT(op->own), rows);
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
            NAME(denormalize)(op, w, x, xs, d, line, SLOT(op->own), rows, to, gradient);
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
