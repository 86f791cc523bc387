/* Epochs of a run: steps, evaluations, and what is watched. */

typedef struct {
    float *slots, *back, *x, *y, *weight;
} NAME(Room);

static int64_t NAME(whole)(int64_t rows) { return (rows + 15) / 16 * 16; }

INLINE double NAME(squares)(const float *a, int64_t start, int64_t stop) {
    vec sum = NAME(all)(0.0f);
    for (int64_t k = start; k < stop; k += 16) {
        vec v = NAME(load)(a + k);
        sum = NAME(fma)(v, v, sum);
    }
    return NAME(sum)(sum);
}

/* l1 * sum |w| + l2 / 2 * sum w^2 over the weights, and its gradient. */
static float NAME(penalty)(const Stack *s, int64_t run, const float *w, float *gradient) {
    if (!s->penalties || (!s->l1 && !s->l2)) return 0.0f;
    const double l1 = s->l1 ? s->l1[run] : 0.0, l2 = s->l2 ? s->l2[run] : 0.0;
    const vec one = NAME(all)((float)l1), two = NAME(all)((float)l2), zero = NAME(all)(0.0f);
    const vec minus = NAME(all)(-(float)l1);
    double total = 0.0;
    for (int64_t n = 0; n < s->penalties; n++) {
        vec sizes = zero;
        for (int64_t k = s->penalized[2 * n]; k < s->penalized[2 * n + 1]; k += 16) {
            vec v = NAME(load)(w + k);
            sizes = NAME(add)(sizes, NAME(absolute)(v));
            if (gradient) {
                vec sign = NAME(pick)(NAME(above)(v, zero), one,
                                      NAME(pick)(NAME(above)(zero, v), minus, zero));
                vec by = NAME(fma)(two, v, sign);
                NAME(store)(gradient + k, NAME(add)(NAME(load)(gradient + k), by));
            }
        }
        if (l1 != 0.0) total += l1 * NAME(sum)(sizes);
        if (l2 != 0.0) total += l2 / 2.0 * NAME(squares)(w, s->penalized[2 * n], s->penalized[2 * n + 1]);
    }
    return (float)total;
}

/* Some rows of a split in slot 0: those from `start`, or those that `order` names. */
static const float *NAME(rows)(const Split *p, int64_t run, int64_t start, int64_t count,
                               const int64_t *order, NAME(Room) *room, int64_t block,
                               int64_t *stride, const float **y, const float **weight) {
    const int64_t padded = NAME(whole)(count);
    if (!order && !p->by_row) {
        *stride = p->width;
        *y = p->y + run * p->width + start;
        *weight = p->weight ? p->weight + run * p->width + start : 0;
        return p->x + run * p->features * p->width + start;
    }
    const float *x = p->x + run * p->features * p->width;
    const int64_t across = p->by_row ? p->features : 1, along = p->by_row ? 1 : p->width;
    for (int64_t k = 0; k < padded; k++) {
        const int64_t from = k < count ? (order ? order[k] : start + k) : -1;
        for (int64_t f = 0; f < p->features; f++)
            room->x[f * block + k] = from < 0 ? 0.0f : x[from * across + f * along];
        room->y[k] = from < 0 ? 0.0f : p->y[run * p->width + from];
        if (p->weight) room->weight[k] = from < 0 ? 0.0f : p->weight[run * p->width + from];
    }
    *stride = block, *y = room->y, *weight = p->weight ? room->weight : 0;
    return room->x;
}

/* Forward, and backward where `learn`: the tally of `count` rows. */
static double NAME(pass)(const Stack *s, int64_t run, const Split *split, int64_t start,
                         int64_t count, const int64_t *order, const float *draws, int learn,
                         NAME(Room) *room, NAME(Tally) *tally) {
    const Program *p = &s->program;
    const float *w = s->values + run * p->parameters;
    double divisor = (double)count;
    if (split->weight) {
        divisor = 0.0;
        for (int64_t k = 0; k < count; k++)
            divisor += split->weight[run * split->width + (order ? order[k] : start + k)];
        if (divisor < 1.17549435e-38) divisor = 1.17549435e-38;
    }
    const float *rates = s->rates ? s->rates + run * p->dropouts : 0;
    for (int64_t from = 0; from < count; from += p->block) {
        const int64_t few = count - from < p->block ? count - from : p->block;
        const int64_t padded = NAME(whole)(few);
        int64_t stride;
        const float *y, *weight;
        const float *x = NAME(rows)(split, run, start + from, few, order ? order + from : 0, room,
                                    p->block, &stride, &y, &weight);
        const float *drawn = draws ? draws + from : 0;
        NAME(forward)(p, w, room->slots, x, stride, padded, few, learn, s->statistics, run, rates, drawn,
                      s->draw_width);
        const float *z = p->last ? room->slots + p->starts[p->last] * p->block : x;
        float *back = learn ? room->back + p->starts[p->last] * p->block : 0;
        NAME(loss_of)(&s->loss, s->loss_number + 2 * run, z, p->block, y, weight, few,
                      (float)(1.0 / divisor), back, tally);
        if (learn)
            NAME(backward)(p, w, room->slots, room->back, x, stride, padded, few, rates, drawn,
                           s->draw_width, s->gradients + run * p->parameters);
    }
    return divisor;
}

/* The scores of a split, from its tally: `scores` numbers after the loss. */
static void NAME(scores)(const Stack *s, const Split *split, int64_t run, float loss,
                         const NAME(Tally) *t, float *to) {
    to[0] = loss;
    if (s->loss.scores == 1) {
        to[1] = (float)(t->first / (double)split->rows);
    } else {
        const float rows = (float)split->rows, whole = (float)split->spread[run];
        const float unit = split->units ? (float)split->units[run] : 1.0f;
        to[1] = unit * sqrtf((float)t->first / rows);
        to[2] = unit * ((float)t->second / rows);
        to[3] = whole > 0.0f ? 1.0f - (float)t->first / whole : NAN;
    }
}

static void NAME(clip)(float *gradient, int64_t count, double limit) {
    const float norm = sqrtf((float)NAME(squares)(gradient, 0, count));
    float factor = (float)limit / (norm + 1e-6f);
    if (factor > 1.0f) factor = 1.0f;
    for (int64_t k = 0; k < count; k += 16)
        NAME(store)(gradient + k, NAME(mul)(NAME(load)(gradient + k), NAME(all)(factor)));
}

/* Copies the running statistics of a run: 0 live, 1 best, 2 now, 3 before. */
static void NAME(keep)(const Stack *s, int64_t run, int from, int to) {
    for (int64_t n = 0; n < s->norms; n++) {
        const Statistics *t = s->statistics + n;
        const int64_t start = run * t->outputs, bytes = t->outputs * (int64_t)sizeof(float);
        memcpy(t->mean[to] + start, t->mean[from] + start, bytes);
        memcpy(t->variance[to] + start, t->variance[from] + start, bytes);
        t->batches[to][run] = t->batches[from][run];
    }
}

static void NAME(epochs)(const Stack *s, int64_t run, NAME(Room) *room) {
    const Program *p = &s->program;
    const Split *train = &s->split[0];
    const int64_t size = p->parameters, bytes = size * (int64_t)sizeof(float);
    const int64_t batch = s->batch && s->batch < train->rows ? s->batch : train->rows;
    const int64_t steps = (train->rows + batch - 1) / batch;
    float *w = s->values + run * size, *g = s->gradients + run * size;
    float *now = s->now + run * size, *before = s->before + run * size;
    s->ended[run] = GOES_ON;
    int64_t done = 0;
    while (done < s->count && s->ended[run] == GOES_ON) {
        const int64_t epoch = s->epoch + done;
        const int measured = epoch == s->epochs - 1 || epoch % s->eval_every == 0;
        float *swap = before;
        before = now, now = swap;
        memcpy(now, w, bytes);
        if (s->norms) NAME(keep)(s, run, 2, 3), NAME(keep)(s, run, 0, 2);
        NAME(Tally) tally = {0, 0, 0};
        double losses = 0.0, divisors = 0.0;
        float loss = 0.0f;
        for (int64_t step = 0; step < steps; step++) {
            const int64_t start = step * batch;
            const int64_t few = train->rows - start < batch ? train->rows - start : batch;
            const int64_t *order = s->order ? s->order + (done * s->runs + run) * train->rows + start : 0;
            const float *draws = s->draws ? s->draws + ((done * steps + step) * s->runs + run) *
                                                          p->drawn * s->draw_width : 0;
            const double already = tally.loss;
            memset(g, 0, bytes);
            const double divisor = NAME(pass)(s, run, train, start, few, order, draws, 1, room, &tally);
            loss = (float)((tally.loss - already) / divisor) + NAME(penalty)(s, run, w, g);
            losses += (double)loss * divisor, divisors += divisor;
            if (s->clip) NAME(clip)(g, size, s->clip[run]);
            const int64_t at = s->changes == 1 ? 0 : s->changes == s->count ? done : done * steps + step;
            NAME(step)(&s->optimizer, run, size, w, g, s->lr[at * s->runs + run]);
        }
        if (steps > 1) loss = (float)(losses / divisors);
        int finite = isfinite(loss) != 0;
        done++;
        if (!measured) {
            if (!finite) s->ended[run] = DIVERGED;
            continue;
        }
        float *row = s->row + ((done - 1) * s->runs + run) * s->columns;
        NAME(scores)(s, train, run, loss, &tally, row);
        row += 1 + s->loss.scores;
        for (int n = 1; n < 3; n++) {
            const Split *split = &s->split[n];
            if (!split->rows) continue;
            NAME(Tally) t = {0, 0, 0};
            const double divisor = NAME(pass)(s, run, split, 0, split->rows, 0, 0, 0, room, &t);
            const float mean = (float)(t.loss / divisor) + NAME(penalty)(s, run, w, 0);
            finite = finite && isfinite(mean);
            NAME(scores)(s, split, run, mean, &t, row);
            row += 1 + s->loss.scores;
        }
        if (s->column < 0) {
            if (!finite) s->ended[run] = DIVERGED;
            continue;
        }
        const double value = s->row[((done - 1) * s->runs + run) * s->columns + s->column];
        if (s->sign * value < s->sign * s->best_value[run] - s->min_delta[run]) {
            s->best_value[run] = value, s->best_epoch[run] = epoch, s->waited[run] = 0;
            memcpy(s->best + run * size, w, bytes);
            if (s->norms) NAME(keep)(s, run, 0, 1);
        } else if (++s->waited[run] >= s->patience[run]) {
            s->ended[run] = STOPPED;
        }
        if (!finite) s->ended[run] = DIVERGED;
    }
    s->done[run] = done;
    if (done % 2) { /* `now` stands where `before` was: put both in their places */
        for (int64_t k = 0; k < size; k++) {
            const float other = now[k];
            now[k] = before[k], before[k] = other;
        }
    }
}

static int NAME(room)(const Stack *s, NAME(Room) *room) {
    const int64_t line = s->program.block, features = s->split[0].features;
    const int64_t lines = 2 * s->program.lines + features + 2;
    float *memory = aligned_alloc(64, (size_t)(lines * line) * sizeof(float));
    if (!memory) return 1;
    room->slots = memory;
    room->back = room->slots + s->program.lines * line;
    room->x = room->back + s->program.lines * line;
    room->y = room->x + features * line;
    room->weight = room->y + line;
    return 0;
}

/* Each run of a stack by itself; 0, or 1 where there is no memory. */
static int NAME(train)(const Stack *s, int64_t first, int64_t last) {
    NAME(Room) room;
    if (NAME(room)(s, &room)) return 1;
    for (int64_t run = first; run < last; run++) NAME(epochs)(s, run, &room);
    free(room.slots);
    return 0;
}

/* The mean loss of the first run on the rows of split 1. */
static int NAME(loss)(const Stack *s, float *found) {
    NAME(Room) room;
    if (NAME(room)(s, &room)) return 1;
    NAME(Tally) t = {0, 0, 0};
    const Split *split = &s->split[1];
    const double divisor = NAME(pass)(s, 0, split, 0, split->rows, 0, 0, 0, &room, &t);
    *found = (float)(t.loss / divisor) + NAME(penalty)(s, 0, s->values, 0);
    free(room.slots);
    return 0;
}

/* Logits [outputs][rows] of a run for rows [features][rows]; rows is a multiple of 16. */
static int NAME(answer)(const Stack *s, int64_t run, const float *x, int64_t rows, float *z,
                        int64_t outputs) {
    const Program *p = &s->program;
    const float *w = s->values + run * p->parameters;
    float *slots = aligned_alloc(64, (size_t)(p->lines * p->block) * sizeof(float));
    if (!slots) return 1;
    for (int64_t from = 0; from < rows; from += p->block) {
        const int64_t few = rows - from < p->block ? rows - from : p->block;
        NAME(forward)(p, w, slots, x + from, rows, few, few, 0, s->statistics, run, 0, 0, 0);
        const float *last = p->last ? slots + p->starts[p->last] * p->block : 0;
        for (int64_t o = 0; o < outputs; o++)
            memcpy(z + o * rows + from, last ? last + o * p->block : x + from + o * rows,
                   few * sizeof *z);
    }
    free(slots);
    return 0;
}
