/* Vectors of 16 floats, in one form for each instruction set.
 *
 * Whatever the form, an operation gives the same 16 numbers: all of them are single operations of
 * IEEE 754 (a fused multiply-add is one), and the order of a sum is written out. Nothing here may
 * become an approximate instruction (rcp, rsqrt) or another order.
 *
 * Included once for each form, which LEVEL names: 1 NEON (ARM), 2 AVX2 and FMA, 3 AVX-512.
 */

#define INLINE static inline __attribute__((always_inline, unused))

#if LEVEL == 3

typedef __m512 vec;
typedef __m512i ints;
typedef __mmask16 mask;

INLINE vec NAME(load)(const float *p) { return _mm512_loadu_ps(p); }
INLINE void NAME(store)(float *p, vec a) { _mm512_storeu_ps(p, a); }
INLINE vec NAME(all)(float x) { return _mm512_set1_ps(x); }
INLINE vec NAME(add)(vec a, vec b) { return _mm512_add_ps(a, b); }
INLINE vec NAME(sub)(vec a, vec b) { return _mm512_sub_ps(a, b); }
INLINE vec NAME(mul)(vec a, vec b) { return _mm512_mul_ps(a, b); }
INLINE vec NAME(div)(vec a, vec b) { return _mm512_div_ps(a, b); }
INLINE vec NAME(root)(vec a) { return _mm512_sqrt_ps(a); }
INLINE vec NAME(fma)(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec NAME(min)(vec a, vec b) { return _mm512_min_ps(a, b); }
INLINE vec NAME(max)(vec a, vec b) { return _mm512_max_ps(a, b); }
INLINE mask NAME(above)(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
INLINE mask NAME(equal)(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
INLINE vec NAME(pick)(mask m, vec a, vec b) { return _mm512_mask_blend_ps(m, b, a); }
INLINE ints NAME(bits)(vec a) { return _mm512_castps_si512(a); }
INLINE vec NAME(floats)(ints a) { return _mm512_castsi512_ps(a); }
INLINE ints NAME(all_ints)(int x) { return _mm512_set1_epi32(x); }
INLINE ints NAME(add_ints)(ints a, ints b) { return _mm512_add_epi32(a, b); }
INLINE ints NAME(sub_ints)(ints a, ints b) { return _mm512_sub_epi32(a, b); }
INLINE ints NAME(and_ints)(ints a, ints b) { return _mm512_and_si512(a, b); }
INLINE ints NAME(or_ints)(ints a, ints b) { return _mm512_or_si512(a, b); }
INLINE ints NAME(exponent_up)(ints a) { return _mm512_slli_epi32(a, 23); }
INLINE ints NAME(exponent_down)(ints a) { return _mm512_srai_epi32(a, 23); }
INLINE vec NAME(numbers)(ints a) { return _mm512_cvtepi32_ps(a); }

/* Lanes l and l + 8 added, then l and l + 4. */
INLINE __m128 NAME(fold)(vec a) {
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a),
                                _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1)));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

#elif LEVEL == 2

typedef struct { __m256 a, b; } vec;
typedef struct { __m256i a, b; } ints;
typedef vec mask;

#define TWICE(call) ((vec){call(x.a, y.a), call(x.b, y.b)})
INLINE vec NAME(load)(const float *p) { return (vec){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE void NAME(store)(float *p, vec x) { _mm256_storeu_ps(p, x.a); _mm256_storeu_ps(p + 8, x.b); }
INLINE vec NAME(all)(float x) { return (vec){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
INLINE vec NAME(add)(vec x, vec y) { return TWICE(_mm256_add_ps); }
INLINE vec NAME(sub)(vec x, vec y) { return TWICE(_mm256_sub_ps); }
INLINE vec NAME(mul)(vec x, vec y) { return TWICE(_mm256_mul_ps); }
INLINE vec NAME(div)(vec x, vec y) { return TWICE(_mm256_div_ps); }
INLINE vec NAME(min)(vec x, vec y) { return TWICE(_mm256_min_ps); }
INLINE vec NAME(max)(vec x, vec y) { return TWICE(_mm256_max_ps); }
INLINE vec NAME(root)(vec x) { return (vec){_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b)}; }
INLINE vec NAME(fma)(vec x, vec y, vec z) {
    return (vec){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
INLINE mask NAME(above)(vec x, vec y) {
    return (vec){_mm256_cmp_ps(x.a, y.a, _CMP_GT_OQ), _mm256_cmp_ps(x.b, y.b, _CMP_GT_OQ)};
}
INLINE mask NAME(equal)(vec x, vec y) {
    return (vec){_mm256_cmp_ps(x.a, y.a, _CMP_EQ_OQ), _mm256_cmp_ps(x.b, y.b, _CMP_EQ_OQ)};
}
INLINE vec NAME(pick)(mask m, vec x, vec y) {
    return (vec){_mm256_blendv_ps(y.a, x.a, m.a), _mm256_blendv_ps(y.b, x.b, m.b)};
}
INLINE ints NAME(bits)(vec x) { return (ints){_mm256_castps_si256(x.a), _mm256_castps_si256(x.b)}; }
INLINE vec NAME(floats)(ints x) { return (vec){_mm256_castsi256_ps(x.a), _mm256_castsi256_ps(x.b)}; }
INLINE ints NAME(all_ints)(int x) { return (ints){_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
#define BOTH(call) ((ints){call(x.a, y.a), call(x.b, y.b)})
INLINE ints NAME(add_ints)(ints x, ints y) { return BOTH(_mm256_add_epi32); }
INLINE ints NAME(sub_ints)(ints x, ints y) { return BOTH(_mm256_sub_epi32); }
INLINE ints NAME(and_ints)(ints x, ints y) { return BOTH(_mm256_and_si256); }
INLINE ints NAME(or_ints)(ints x, ints y) { return BOTH(_mm256_or_si256); }
INLINE ints NAME(exponent_up)(ints x) {
    return (ints){_mm256_slli_epi32(x.a, 23), _mm256_slli_epi32(x.b, 23)};
}
INLINE ints NAME(exponent_down)(ints x) {
    return (ints){_mm256_srai_epi32(x.a, 23), _mm256_srai_epi32(x.b, 23)};
}
INLINE vec NAME(numbers)(ints x) { return (vec){_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
INLINE __m128 NAME(fold)(vec x) {
    __m256 half = _mm256_add_ps(x.a, x.b);
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
#undef TWICE
#undef BOTH

#else

typedef struct { float32x4_t p[4]; } vec;
typedef struct { int32x4_t p[4]; } ints;
typedef struct { uint32x4_t p[4]; } mask;

#define FOUR(kind, f) ((kind){{f(0), f(1), f(2), f(3)}})
INLINE vec NAME(load)(const float *x) {
#define PART(i) vld1q_f32(x + 4 * i)
    return FOUR(vec, PART);
#undef PART
}
INLINE void NAME(store)(float *to, vec x) {
    vst1q_f32(to, x.p[0]), vst1q_f32(to + 4, x.p[1]);
    vst1q_f32(to + 8, x.p[2]), vst1q_f32(to + 12, x.p[3]);
}
#define ONE(result, kind, name, part) \
    INLINE result NAME(name)(kind x) { return FOUR(result, part); }
#define TWO(result, kind, name, part) \
    INLINE result NAME(name)(kind x, kind y) { return FOUR(result, part); }
#define PART(i) vaddq_f32(x.p[i], y.p[i])
TWO(vec, vec, add, PART)
#undef PART
#define PART(i) vsubq_f32(x.p[i], y.p[i])
TWO(vec, vec, sub, PART)
#undef PART
#define PART(i) vmulq_f32(x.p[i], y.p[i])
TWO(vec, vec, mul, PART)
#undef PART
#define PART(i) vdivq_f32(x.p[i], y.p[i])
TWO(vec, vec, div, PART)
#undef PART
/* As on x86: the second where one is no number. */
#define PART(i) vbslq_f32(vcltq_f32(x.p[i], y.p[i]), x.p[i], y.p[i])
TWO(vec, vec, min, PART)
#undef PART
#define PART(i) vbslq_f32(vcgtq_f32(x.p[i], y.p[i]), x.p[i], y.p[i])
TWO(vec, vec, max, PART)
#undef PART
#define PART(i) vcgtq_f32(x.p[i], y.p[i])
TWO(mask, vec, above, PART)
#undef PART
#define PART(i) vceqq_f32(x.p[i], y.p[i])
TWO(mask, vec, equal, PART)
#undef PART
#define PART(i) vsqrtq_f32(x.p[i])
ONE(vec, vec, root, PART)
#undef PART
#define PART(i) vreinterpretq_s32_f32(x.p[i])
ONE(ints, vec, bits, PART)
#undef PART
#define PART(i) vreinterpretq_f32_s32(x.p[i])
ONE(vec, ints, floats, PART)
#undef PART
#define PART(i) vcvtq_f32_s32(x.p[i])
ONE(vec, ints, numbers, PART)
#undef PART
#define PART(i) vshlq_n_s32(x.p[i], 23)
ONE(ints, ints, exponent_up, PART)
#undef PART
#define PART(i) vshrq_n_s32(x.p[i], 23)
ONE(ints, ints, exponent_down, PART)
#undef PART
#define PART(i) vaddq_s32(x.p[i], y.p[i])
TWO(ints, ints, add_ints, PART)
#undef PART
#define PART(i) vsubq_s32(x.p[i], y.p[i])
TWO(ints, ints, sub_ints, PART)
#undef PART
#define PART(i) vandq_s32(x.p[i], y.p[i])
TWO(ints, ints, and_ints, PART)
#undef PART
#define PART(i) vorrq_s32(x.p[i], y.p[i])
TWO(ints, ints, or_ints, PART)
#undef PART
#define PART(i) vdupq_n_f32(x)
ONE(vec, float, all, PART)
#undef PART
#define PART(i) vdupq_n_s32(x)
ONE(ints, int, all_ints, PART)
#undef PART
#define PART(i) vfmaq_f32(z.p[i], x.p[i], y.p[i])
INLINE vec NAME(fma)(vec x, vec y, vec z) { return FOUR(vec, PART); }
#undef PART
#define PART(i) vbslq_f32(m.p[i], x.p[i], y.p[i])
INLINE vec NAME(pick)(mask m, vec x, vec y) { return FOUR(vec, PART); }
#undef PART
#undef ONE
#undef TWO
#undef FOUR

#endif

/* The sums of the lanes of four vectors: l + (l + 8), then + 4, + 2, + 1. */
INLINE void NAME(sums)(vec a, vec b, vec c, vec d, float *to) {
#if LEVEL >= 2
    __m128 p = NAME(fold)(a), q = NAME(fold)(b), r = NAME(fold)(c), s = NAME(fold)(d);
    __m128 t = _mm_add_ps(_mm_unpacklo_ps(p, q), _mm_unpackhi_ps(p, q)); /* a02 b02 a13 b13 */
    __m128 u = _mm_add_ps(_mm_unpacklo_ps(r, s), _mm_unpackhi_ps(r, s));
    _mm_storeu_ps(to, _mm_add_ps(_mm_movelh_ps(t, u), _mm_movehl_ps(u, t)));
#else
    const vec each[4] = {a, b, c, d};
    for (int k = 0; k < 4; k++) {
        float32x4_t four = vaddq_f32(vaddq_f32(each[k].p[0], each[k].p[2]),
                                     vaddq_f32(each[k].p[1], each[k].p[3]));
        float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
        to[k] = vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
    }
#endif
}

INLINE float NAME(sum)(vec a) {
    float four[4];
    NAME(sums)(a, a, a, a, four);
    return four[0];
}
