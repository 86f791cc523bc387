/* The steps of exp.components.optimizers, number by number; each names its class there.
 *
 * `number`: its hyperparameters, in the order in which structures.py lists them.
 */

#define FOR_EACH for (int64_t k = 0; k < count; k += 16)
#define V(i) (o->vectors[i] + run * count + k)
#define D(i) (o->scalars[i][run])
#define SET(x) NAME(all)((float)(x))

static void NAME(step)(const Optimizer *o, int64_t run, int64_t count, float *w, const float *g,
                       double lr) {
    const double *h = o->number + run * o->numbers, decay = h[0];
    const int coupled = decay != 0.0 && !(o->flags & 8);
    const vec wd = SET(decay);
#define GRADIENT(k) \
    (coupled ? NAME(fma)(NAME(load)(w + k), wd, NAME(load)(g + k)) : NAME(load)(g + k))
    if (decay != 0.0 && (o->flags & 8)) { /* decoupled */
        const vec kept = SET(1.0 - lr * decay);
        FOR_EACH NAME(store)(w + k, NAME(mul)(NAME(load)(w + k), kept));
    }
    switch (o->kind) {
    case SGD: { /* momentum, dampening; flags 1: nesterov, 2: classical */
        const vec rate = SET(lr), minus = SET(-(float)lr), momentum = SET(h[1]);
        const vec gain = SET(o->gain ? o->gain[run] : 1.0f);
        if (h[1] == 0.0) {
            FOR_EACH NAME(store)(w + k, NAME(fma)(GRADIENT(k), minus, NAME(load)(w + k)));
            break;
        }
        FOR_EACH {
            vec d = GRADIENT(k), v = NAME(mul)(NAME(load)(V(0)), momentum);
            if (o->flags & 2) {
                v = NAME(fma)(d, rate, v);
                NAME(store)(V(0), v);
                if (o->flags & 1) v = NAME(fma)(v, momentum, NAME(mul)(d, rate));
                NAME(store)(w + k, NAME(sub)(NAME(load)(w + k), v));
            } else {
                v = NAME(fma)(d, gain, v);
                NAME(store)(V(0), v);
                if (o->flags & 1) v = NAME(fma)(v, momentum, d);
                NAME(store)(w + k, NAME(fma)(v, minus, NAME(load)(w + k)));
            }
        }
        if (o->gain) o->gain[run] = (float)(1.0 - h[2]);
        break;
    }
    case ADAM: case NADAM: case RADAM: { /* beta1, beta2, eps; flags 1: amsgrad */
        const double beta1 = h[1], beta2 = h[2];
        D(0) = D(0) * beta1 + (1.0 - beta1);
        D(1) = D(1) * beta2 + (1.0 - beta2);
        const vec new1 = SET(1.0 - beta1), new2 = SET(1.0 - beta2), old2 = SET(beta2), eps = SET(h[3]);
        vec rate, root = NAME(all)(1.0f), share = root;
        int known = 1;
        if (o->kind == ADAM) {
            rate = SET(-(lr / D(0))), root = SET(sqrt(D(1)));
        } else if (o->kind == NADAM) { /* h[4]: 0.96^momentum_decay; D(2) product, D(3) power */
            D(3) *= h[4];
            double mu = beta1 - D(3) * (beta1 / 2.0);
            D(2) *= mu;
            double next = beta1 - D(3) * (beta1 / 2.0 * h[4]);
            rate = SET(-(lr * (1.0 - mu) / (1.0 - D(2))));
            share = SET(-(lr * next / (1.0 - D(2) * next)));
            root = SET(D(1));
        } else { /* D(2): steps */
            D(2) += 1.0;
            double longest = 2.0 / (1.0 - beta2) - 1.0;
            double scale = longest / ((longest - 4.0) * (longest - 2.0));
            double length = longest - 2.0 * (D(2) / D(1) - D(2));
            known = length > 5.0;
            double factor = (length - 4.0) * (length - 2.0) / length * scale * D(1);
            rate = SET(-(lr / D(0) * (known ? sqrt(factor) : 1.0)));
        }
        FOR_EACH {
            vec d = GRADIENT(k), m = NAME(load)(V(0)), s = NAME(mul)(NAME(load)(V(1)), old2);
            m = NAME(fma)(new1, NAME(sub)(d, m), m);
            s = NAME(fma)(NAME(mul)(d, new2), d, s);
            NAME(store)(V(0), m);
            NAME(store)(V(1), s);
            if (o->flags & 1) {
                s = NAME(max)(NAME(load)(V(2)), s);
                NAME(store)(V(2), s);
            }
            vec value = NAME(load)(w + k);
            if (o->kind == ADAM) {
                vec below = NAME(add)(NAME(div)(NAME(root)(s), root), eps);
                value = NAME(add)(value, NAME(div)(NAME(mul)(m, rate), below));
            } else if (o->kind == NADAM) {
                vec below = NAME(add)(NAME(root)(NAME(div)(s, root)), eps);
                value = NAME(add)(value, NAME(div)(NAME(mul)(d, rate), below));
                value = NAME(add)(value, NAME(div)(NAME(mul)(m, share), below));
            } else {
                vec below = known ? NAME(add)(NAME(root)(s), eps) : NAME(all)(1.0f);
                value = NAME(add)(value, NAME(div)(NAME(mul)(m, rate), below));
            }
            NAME(store)(w + k, value);
        }
        break;
    }
    case RMSPROP: { /* alpha, eps, momentum; flags 1: centered; vectors: square, mean, momentum */
        const vec old = SET(h[1]), new = SET(1.0 - h[1]), eps = SET(h[2]), momentum = SET(h[3]);
        const vec minus = SET(-lr), zero = NAME(all)(0.0f);
        FOR_EACH {
            vec d = GRADIENT(k);
            vec s = NAME(fma)(NAME(mul)(d, new), d, NAME(mul)(NAME(load)(V(0)), old));
            NAME(store)(V(0), s);
            if (o->flags & 1) {
                vec m = NAME(load)(V(1));
                m = NAME(fma)(new, NAME(sub)(d, m), m);
                NAME(store)(V(1), m);
                s = NAME(max)(zero, NAME(fma)(NAME(negative)(m), m, s));
            }
            vec below = NAME(add)(NAME(root)(s), eps), value = NAME(load)(w + k);
            if (h[3] != 0.0) {
                vec v = NAME(add)(NAME(mul)(NAME(load)(V(2)), momentum), NAME(div)(d, below));
                NAME(store)(V(2), v);
                value = NAME(fma)(v, minus, value);
            } else {
                value = NAME(add)(value, NAME(div)(NAME(mul)(d, minus), below));
            }
            NAME(store)(w + k, value);
        }
        break;
    }
    case ADAGRAD: { /* eps, lr_decay */
        if (h[2] != 0.0) {
            lr = lr / (1.0 + D(0) * h[2]);
            D(0) += 1.0;
        }
        const vec eps = SET(h[1]), minus = SET(-lr);
        FOR_EACH {
            vec d = GRADIENT(k), s = NAME(fma)(d, d, NAME(load)(V(0)));
            NAME(store)(V(0), s);
            vec below = NAME(add)(NAME(root)(s), eps);
            NAME(store)(w + k, NAME(add)(NAME(load)(w + k), NAME(div)(NAME(mul)(d, minus), below)));
        }
        break;
    }
    case ADADELTA: { /* rho, eps */
        const vec old = SET(h[1]), new = SET(1.0 - h[1]), eps = SET(h[2]), minus = SET(-lr);
        FOR_EACH {
            vec d = GRADIENT(k), c = NAME(load)(V(1));
            vec s = NAME(fma)(NAME(mul)(d, new), d, NAME(mul)(NAME(load)(V(0)), old));
            NAME(store)(V(0), s);
            vec below = NAME(root)(NAME(add)(s, eps));
            vec change = NAME(mul)(NAME(div)(NAME(root)(NAME(add)(c, eps)), below), d);
            NAME(store)(V(1), NAME(fma)(NAME(mul)(change, new), change, NAME(mul)(c, old)));
            NAME(store)(w + k, NAME(fma)(change, minus, NAME(load)(w + k)));
        }
        break;
    }
    case RPROP: { /* eta_minus, eta_plus, step_size_min, step_size_max; vectors: last, size */
        const vec shrunk = SET(h[1]), grown = SET(h[2]), least = SET(h[3]), most = SET(h[4]);
        const vec zero = NAME(all)(0.0f), one = NAME(all)(1.0f);
        FOR_EACH {
            vec d = NAME(load)(g + k), same = NAME(mul)(d, NAME(load)(V(0))), size = NAME(load)(V(1));
            mask changed = NAME(above)(zero, same);
            vec factor = NAME(pick)(NAME(above)(same, zero), grown, one);
            size = NAME(mul)(size, NAME(pick)(changed, shrunk, factor));
            size = NAME(min)(most, NAME(max)(least, size));
            vec last = NAME(pick)(changed, zero, d);
            vec sign = NAME(pick)(NAME(above)(last, zero), one,
                                  NAME(pick)(NAME(above)(zero, last), NAME(all)(-1.0f), zero));
            NAME(store)(V(0), last);
            NAME(store)(V(1), size);
            NAME(store)(w + k, NAME(fma)(NAME(negative)(sign), size, NAME(load)(w + k)));
        }
        break;
    }
    case LION: { /* beta1, beta2 */
        const vec new1 = SET(1.0 - h[1]), new2 = SET(1.0 - h[2]), zero = NAME(all)(0.0f);
        const vec rate = SET(lr), minus = SET(-lr);
        FOR_EACH {
            vec d = NAME(load)(g + k), m = NAME(load)(V(0));
            vec way = NAME(fma)(new1, NAME(sub)(d, m), m);
            vec move = NAME(pick)(NAME(above)(way, zero), minus,
                                  NAME(pick)(NAME(above)(zero, way), rate, zero));
            NAME(store)(w + k, NAME(add)(NAME(load)(w + k), move));
            NAME(store)(V(0), NAME(fma)(new2, NAME(sub)(d, m), m));
        }
        break;
    }
    }
}
#undef FOR_EACH
#undef V
#undef D
#undef SET
#undef GRADIENT
