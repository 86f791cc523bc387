/* Activations and their gradients. */

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
