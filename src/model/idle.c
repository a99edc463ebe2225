#include "model/idle.h"

const uint32_t idle_bounds_s[N_IDLE - 1] = { 1, 10, 60, 300, 900, 3600, 7200 };
