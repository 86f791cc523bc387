/* One form of the kernel as a program of its own, for tests/test_kernel_functions.py.
 *
 *     kernel_forms FUNCTION < floats > floats
 *     kernel_forms network > floats      weights and history of two small networks
 *
 * FORM is 1 for NEON, 2 for AVX2, 3 for AVX-512.
 */

#include <stdio.h>

#include "kernel.h"

#if FORM == 1
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

#define LEVEL FORM
#define NAME(n) n##_form
#include "vectors.h"
#include "functions.h"
#include "products.h"
#include "activations.h"
#include "norms.h"
#include "network.h"
#include "losses.h"
#include "optimizers.h"
#include "train.h"

enum { EPOCHS = 12, ROWS = 70, WIDTH = 96, FEATURES = 3, PARAMETERS = 512 };

static float drawn(void) {
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}

static void trained(const Op *ops, int count, const int64_t *starts, int64_t lines, int classes,
                    int optimizer, const double *numbers, int64_t batch) {
    static float x[2][FEATURES * WIDTH], y[2][WIDTH], store[8][PARAMETERS], row[EPOCHS][4];
    static int64_t order[EPOCHS][ROWS];
    double scalars[4] = {0}, lr = 0.05, loss_number[2] = {classes > 1 ? 0.1 : 1.0}, delta = 0;
    double patience = 1e9, best = 1e9;
    int64_t best_epoch = 0, waited = 0, ended, done;
    memset(store, 0, sizeof store);
    for (int n = 0; n < 2; n++)
        for (int k = 0; k < ROWS; k++) {
            for (int f = 0; f < FEATURES; f++) x[n][f * WIDTH + k] = 2 * drawn();
            y[n][k] = (float)(k % (classes > 1 ? classes : 2));
        }
    for (int k = 0; k < PARAMETERS; k++) store[0][k] = 0.5f * drawn();
    for (int e = 0; e < EPOCHS; e++)
        for (int k = 0; k < ROWS; k++) order[e][k] = (k * 31 + e * 7) % ROWS;
    Stack s = {0};
    s.program = (Program){ops, count, lines, starts, count, 48, PARAMETERS, 0, 0};
    s.loss = (Loss){classes > 1 ? CROSS_ENTROPY : BCE, classes, 1, 1};
    for (int n = 0; n < 2; n++) s.split[n] = (Split){x[n], y[n], 0, 0, 0, ROWS, WIDTH, FEATURES, 0};
    s.optimizer.kind = optimizer, s.optimizer.numbers = 4, s.optimizer.number = numbers;
    for (int n = 0; n < 3; n++) s.optimizer.vectors[n] = store[n + 1];
    for (int n = 0; n < 4; n++) s.optimizer.scalars[n] = scalars + n;
    s.values = store[0], s.gradients = store[4], s.best = store[5], s.now = store[6];
    s.before = store[7], s.loss_number = loss_number;
    s.runs = 1, s.count = EPOCHS, s.batch = batch, s.eval_every = 1, s.epochs = EPOCHS;
    s.order = batch ? order[0] : 0, s.lr = &lr, s.changes = 1;
    s.sign = 1, s.min_delta = &delta, s.patience = &patience, s.best_value = &best;
    s.best_epoch = &best_epoch, s.waited = &waited, s.row = row[0], s.columns = 4;
    s.ended = &ended, s.done = &done;
    if (NAME(train)(&s, 0, 1) || done != EPOCHS) exit(1);
    fwrite(store[0], sizeof store[0], 1, stdout);
    fwrite(store[5], sizeof store[5], 1, stdout);
    fwrite(row, sizeof row, 1, stdout);
}

static void networks(void) {
    const Op first[] = {
        {.kind = LINEAR, .in = 0, .out = 1, .inputs = 3, .outputs = 11, .weight = 0, .bias = 64},
        {.kind = GELU, .in = 1, .out = 2, .inputs = 11, .outputs = 11},
        {.kind = LINEAR, .in = 2, .out = 3, .inputs = 11, .outputs = 9, .weight = 96, .bias = 224},
        {.kind = TANH, .in = 3, .out = 4, .inputs = 9, .outputs = 9},
        {.kind = LINEAR, .in = 4, .out = 5, .inputs = 9, .outputs = 1, .weight = 256, .bias = 288},
    };
    const int64_t starts[] = {0, 0, 11, 22, 31, 40};
    const double adam[] = {0.01, 0.9, 0.999, 1e-8}, sgd[] = {0.01, 0.9, 0.0, 0.0};
    trained(first, 5, starts, 41, 1, ADAM, adam, 0);
    const Op second[] = {
        {.kind = LINEAR, .in = 0, .out = 1, .inputs = 3, .outputs = 10, .weight = 0, .bias = 64},
        {.kind = SOFTPLUS, .in = 1, .out = 2, .inputs = 10, .outputs = 10, .a = 1, .b = 20},
        {.kind = ELU, .in = 2, .out = 3, .inputs = 10, .outputs = 10, .a = 1},
        {.kind = SILU, .in = 3, .out = 4, .inputs = 10, .outputs = 10},
        {.kind = LINEAR, .in = 4, .out = 5, .inputs = 10, .outputs = 3, .weight = 96, .bias = 128},
    };
    const int64_t places[] = {0, 0, 10, 20, 30, 40};
    trained(second, 5, places, 43, 3, SGD, sgd, 32);
}

#define APPLY(name) \
    if (!strcmp(argv[1], #name)) { NAME(store)(x, NAME(name)(NAME(load)(x))); }

int main(int count, char **argv) {
    if (count != 2) return 2;
    if (!strcmp(argv[1], "network")) {
        networks();
        return 0;
    }
    float x[16];
    while (fread(x, sizeof x, 1, stdin)) {
        APPLY(exp) APPLY(log1p) APPLY(log) APPLY(tanh) APPLY(sigmoid) APPLY(softplus) APPLY(expm1)
        APPLY(erf)
        fwrite(x, sizeof x, 1, stdout);
    }
    return 0;
}
