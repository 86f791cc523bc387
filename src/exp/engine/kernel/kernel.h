/* What Python hands over; exp/engine/kernel/structures.py has the same in ctypes. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINEAR, DROPOUT, JOIN, SUM, PRODUCT, COLUMNS, LAYER_NORM, BATCH_NORM, IDENTITY, RELU, LEAKY_RELU, ELU, SELU, GELU, SILU, SOFTPLUS,
       SIGMOID, TANH, TANH_FROM_EXP, CLAMP };
enum { BCE, CROSS_ENTROPY, FOCAL, HINGE, TANH_MSE, MSE, L1, SQUARED, ABSOLUTE };
enum { SGD, ADAM, NADAM, RADAM, RMSPROP, ADAGRAD, ADADELTA, RPROP, LION };
enum { GOES_ON, DIVERGED, STOPPED };

typedef struct {
    int32_t kind, in, in2, out;
    int32_t inputs, outputs; /* lines of `in` and `out` */
    int32_t weight, bias;    /* where they stand among the parameters; -1: no bias */
    int32_t which;           /* the number of a dropout or batch norm layer, or the first column */
    int32_t own;             /* the slot of the numbers that a norm keeps for its gradient */
    int32_t more, more2;     /* whether another operation has a gradient for `in`, `in2` already */
    float a, b;              /* of an activation */
} Op;

typedef struct {
    const Op *op;
    int64_t ops, lines; /* of all slots but slot 0 */
    const int64_t *starts; /* of each slot, in lines */
    int64_t last;       /* the slot of the logits */
    int64_t block;      /* rows that go through the network together, a multiple of 16 */
    int64_t parameters; /* numbers of each run, a multiple of 32 */
    int64_t drawn;      /* units of all dropout layers */
    int64_t dropouts;   /* layers */
} Program;

typedef struct {
    int64_t kind, outputs, positive, scores; /* scores: numbers measured beside the loss */
} Loss;

typedef struct {
    const float *x;      /* [runs][features][width], or [runs][width][features] if by_row */
    const float *y;      /* [runs][width] */
    const float *weight; /* [runs][width], or null */
    const double *spread; /* [runs], of numbers */
    const double *units; /* [runs] of the target in one unit of y, or null */
    int64_t rows, width, features, by_row;
} Split;

typedef struct {
    int64_t kind, flags, numbers;
    const double *number;  /* [runs][numbers] */
    float *vectors[4];     /* [runs][parameters] */
    double *scalars[4];    /* [runs] */
    float *gain;           /* [runs] */
} Optimizer;

/* Running statistics of a batch norm, each as it is and as the weights are kept: live, best, now, before. */
typedef struct {
    float *mean[4], *variance[4]; /* [runs][outputs] */
    int64_t *batches[4];          /* [runs] */
    int64_t outputs;
    double momentum; /* below 0: the mean of all batches */
} Statistics;

typedef struct {
    Program program;
    Loss loss;
    Split split[3]; /* training, test, validation; no rows: there is none */
    Optimizer optimizer;
    const double *loss_number; /* [runs][2] */
    const double *l1, *l2;     /* [runs], or null */
    const int64_t *penalized;  /* pairs of start and stop */
    int64_t penalties;
    const double *clip; /* [runs], or null */
    const float *rates; /* of dropout [runs][dropouts] */
    const Statistics *statistics;
    int64_t norms; /* batch norm layers */
    float *values, *gradients, *best, *now, *before; /* [runs][parameters] */
    /* This call */
    int64_t runs, epoch, count, batch; /* batch: 0 is all rows */
    int64_t eval_every, epochs;
    const double *lr;        /* [changes][runs] */
    int64_t changes;         /* of the rate: 1, `count`, or `count` times the steps of an epoch */
    const int64_t *order;    /* [count][runs][rows] */
    const float *draws;      /* [count][steps][runs][drawn][padded rows of a batch] */
    int64_t draw_width;
    /* Watching */
    double sign;
    int64_t column; /* of the monitored score in a row */
    const double *min_delta, *patience;
    double *best_value;
    int64_t *best_epoch, *waited;
    /* Found */
    float *row; /* [count][runs][columns] */
    int64_t columns;
    int64_t *ended, *done; /* [runs]: why, and after how many epochs of this call */
} Stack;
