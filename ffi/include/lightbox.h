/* Generated from ffi/src by `cargo xtask header`: change it there. */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
