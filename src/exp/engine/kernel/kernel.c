/* The kernel of exp: epochs of many small networks, each computed by itself in a fixed order.
 *
 * The same source for AVX2, AVX-512 and NEON. All three give the same bits:
 * every operation is one of IEEE 754, multiply-adds are written out (so it must be compiled with
 * -ffp-contract=off), and the order of each sum does not depend on the width of the vectors.
 */

#include "kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#else
#error "for this processor the kernel has no vectors: torch trains"
#endif

#if defined(__aarch64__)

#define LEVEL 1
#define NAME(n) n##_neon
#include "vectors.h"
#include "functions.h"
#include "products.h"
#include "activations.h"
#include "norms.h"
#include "network.h"
#include "losses.h"
#include "optimizers.h"
#include "train.h"

#else

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define LEVEL 2
#define NAME(n) n##_avx2
#define vec vec_avx2
#define ints ints_avx2
#define mask mask_avx2
#include "vectors.h"
#include "functions.h"
#include "products.h"
#include "activations.h"
#include "norms.h"
#include "network.h"
#include "losses.h"
#include "optimizers.h"
#include "train.h"
#include "undefine.h"
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")
#endif
#define LEVEL 3
#define NAME(n) n##_avx512
#define vec vec_avx512
#define ints ints_avx512
#define mask mask_avx512
#include "vectors.h"
#include "functions.h"
#include "products.h"
#include "activations.h"
#include "norms.h"
#include "network.h"
#include "losses.h"
#include "optimizers.h"
#include "train.h"
#include "undefine.h"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* The best level of this processor: 3 AVX-512, 2 AVX2, 1 NEON; 0: it has none of them. */
EXPORT int exp_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return 3;
    return 2;
#else
    return 1;
#endif
}

#if defined(__x86_64__)
#define CALL(name, ...) (level == 3 ? name##_avx512(__VA_ARGS__) : name##_avx2(__VA_ARGS__))
#else
#define CALL(name, ...) ((void)level, name##_neon(__VA_ARGS__))
#endif

EXPORT int exp_train(int level, const Stack *s, int64_t first, int64_t last) {
    return CALL(train, s, first, last);
}

/* By which Python notices that it was compiled from other source. */
EXPORT int64_t exp_size(void) { return (int64_t)sizeof(Stack); }

EXPORT int exp_loss(int level, const Stack *s, float *found) { return CALL(loss, s, found); }

EXPORT int exp_answer(int level, const Stack *s, int64_t run, const float *x, int64_t rows, float *z,
                      int64_t outputs) {
    return CALL(answer, s, run, x, rows, z, outputs);
}

/* setuptools asks for it where a module of Python is built; this one is opened by ctypes. */
EXPORT void *PyInit__kernel(void) { return 0; }
