/*
 * Scanouts by pointer, file, dmabuf and callback: what each copies, what it refuses, and that a file which is truncated
 * is an error and no signal. Prints nothing and returns 0 if all of it holds.
 *
 * A dmabuf is stood in for by a memfd, which holds the same contract but for DMA_BUF_IOCTL_SYNC, which it does not know.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STRIDE = WIDTH * 4 + 64, LEAD = 5000, TILES = 8, FRAME = WIDTH * HEIGHT * 4 };
static const uint32_t fourcc_xr24 = 'X' | 'R' << 8 | '2' << 16 | (uint32_t)'4' << 24;

struct world {
    lbx_server *server;
    lbx_output *output;
};

/* A server that looks at nothing that was not reported, so that its counters are what the host asked for. */
static struct world new_world(uint32_t sweep)
{
    const lbx_server_config config = { .size = sizeof config, .listen = "127.0.0.1:0", .workers = LBX_NONE,
                                       .sweep = sweep };
    struct world world;
    CHECK(lbx_server_new(&config, &world.server) == LBX_OK);
    CHECK(lbx_output_new(world.server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &world.output) == LBX_OK);
    return world;
}

static void end(struct world world)
{
    lbx_output_free(world.output);
    lbx_server_free(world.server);
}

static lbx_output_stats stats_of(struct world world)
{
    lbx_output_stats stats = { .size = sizeof stats };
    CHECK(lbx_output_read_stats(world.output, &stats) == LBX_OK);
    return stats;
}

static int new_file(unsigned seals)
{
    const int fd = memfd_create("scanout", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, LEAD + (off_t)STRIDE * HEIGHT) == 0);
    CHECK(seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

static lbx_scanout scanout_in(int fd, uint32_t memory)
{
    return (lbx_scanout){ .size = sizeof(lbx_scanout), .stride = STRIDE, .w = WIDTH, .h = HEIGHT, .memory = memory,
                          .fourcc = fourcc_xr24, .fd = fd, .offset = LEAD };
}

static void paint(int fd, lbx_rect rect, uint32_t pixel)
{
    for (uint32_t y = rect.y; y < rect.y + rect.h; y++)
        for (uint32_t x = rect.x; x < rect.x + rect.w; x++)
            CHECK(pwrite(fd, &pixel, sizeof pixel, LEAD + (off_t)STRIDE * y + 4 * x) == sizeof pixel);
}

/* A pointer and submit copy what is damaged, once. */
static void memory_is_copied_once(void)
{
    static uint32_t pixels[HEIGHT][WIDTH];
    struct world world = new_world(LBX_NONE);
    const lbx_scanout scanout = { .size = sizeof scanout, .data = pixels, .stride = sizeof pixels[0], .w = WIDTH,
                                  .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
    const lbx_rect rect = { 10, 20, 30, 40 };
    uint32_t changed = 0;
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_OK);
    CHECK(lbx_output_damage_unknown(world.output, NULL) == LBX_OK && stats_of(world).taken_bytes == FRAME);
    pixels[20][10] = 0x123456;
    CHECK(lbx_output_damage(world.output, &rect, 1, &changed) == LBX_OK && changed == 1);
    CHECK(stats_of(world).taken_bytes == FRAME + 30 * 40 * 4);
    const lbx_frame frame = { .size = sizeof frame, .data = pixels, .stride = sizeof pixels[0], .w = WIDTH,
                              .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
    CHECK(lbx_output_submit(world.output, &frame, &rect, 1, NULL) == LBX_OK);
    CHECK(stats_of(world).taken_bytes == FRAME + 2 * 30 * 40 * 4);
    CHECK(stats_of(world).staged_bytes == 0 && stats_of(world).swept_bytes == 0);
    end(world);
}

/* A file that cannot shrink is looked at in place; the descriptor is the library's own by then. */
static void a_sealed_file_is_copied_once(uint32_t memory)
{
    struct world world = new_world(LBX_NONE);
    const int fd = new_file(F_SEAL_SHRINK);
    const lbx_scanout scanout = scanout_in(fd, memory);
    const lbx_rect rect = { 150, 90, 50, 10 };
    uint32_t changed = 0;
    paint(fd, (lbx_rect){ 0, 0, WIDTH, HEIGHT }, 0x336699);
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_OK);
    CHECK(lbx_output_damage_unknown(world.output, &changed) == LBX_OK && changed == TILES);
    paint(fd, rect, 0x010203);
    CHECK(close(fd) == 0);
    CHECK(lbx_output_damage(world.output, &rect, 1, &changed) == LBX_OK && changed == 2);
    CHECK(stats_of(world).taken_bytes == FRAME + 50 * 10 * 4 && stats_of(world).staged_bytes == 0);
    end(world);
}

/* One that can is read first, and when it did shrink that is an error; mended, all goes on. */
static void a_file_that_may_shrink_is_copied_twice_and_safely(uint32_t memory)
{
    struct world world = new_world(LBX_NONE);
    const int fd = new_file(0);
    const lbx_scanout scanout = scanout_in(fd, memory);
    const lbx_rect rect = { 100, 10, 20, 5 };
    uint32_t changed = 0;
    paint(fd, (lbx_rect){ 0, 0, WIDTH, HEIGHT }, 0x336699);
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_OK);
    CHECK(lbx_output_damage_unknown(world.output, &changed) == LBX_OK && changed == TILES);
    CHECK(stats_of(world).taken_bytes == FRAME && stats_of(world).staged_bytes == FRAME);
    paint(fd, rect, 0x010203);
    CHECK(lbx_output_damage(world.output, &rect, 1, &changed) == LBX_OK && changed == 1);
    /* And sixteen rows that nobody spoke of, so that the sweep has something to find. */
    CHECK(stats_of(world).staged_bytes == FRAME + 20 * 5 * 4 + WIDTH * 16 * 4);

    CHECK(ftruncate(fd, LEAD + 1) == 0);
    CHECK(lbx_output_damage_unknown(world.output, NULL) == LBX_ERROR_SYSTEM);
    CHECK(lbx_output_damage(world.output, &rect, 1, NULL) == LBX_ERROR_SYSTEM);
    CHECK(ftruncate(fd, LEAD + (off_t)STRIDE * HEIGHT) == 0);
    CHECK(lbx_output_damage_unknown(world.output, &changed) == LBX_OK && changed == TILES);
    CHECK(close(fd) == 0);
    end(world);
}

static void what_nobody_reported_is_found_in_a_file(void)
{
    struct world world = new_world(4);
    const int fd = new_file(0);
    const lbx_scanout scanout = scanout_in(fd, LBX_MEMORY_FILE);
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_OK);
    CHECK(lbx_output_damage_unknown(world.output, NULL) == LBX_OK);
    paint(fd, (lbx_rect){ 70, 80, 1, 1 }, 0xFFFFFF);
    uint32_t changed = 0;
    for (int look = 0; look < 16 && changed == 0; look++)
        CHECK(lbx_output_damage(world.output, NULL, 0, &changed) == LBX_OK);
    CHECK(changed == 1 && server_event(world.server, LBX_SERVER_UNDER_REPORTED).tiles == 1);
    CHECK(close(fd) == 0);
    end(world);
}

static void what_is_no_scanout_is_refused(void)
{
    struct world world = new_world(LBX_NONE);
    const int fd = new_file(F_SEAL_SHRINK);
    lbx_scanout scanout = scanout_in(fd, LBX_MEMORY_FILE);
    scanout.offset = LEAD + 65; /* The last row may end without its padding. */
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_SHAPE);
    scanout.offset = UINT64_MAX;
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_SHAPE);
    scanout = scanout_in(-1, LBX_MEMORY_FILE);
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_ARGUMENT);
    scanout = scanout_in(fd, LBX_MEMORY_DMABUF);
    scanout.modifier = 0x0100000000000001;
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_ARGUMENT);
    CHECK(strstr(lbx_error_text(), "`read` callback") != NULL);
    scanout = scanout_in(fd, 3);
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_ARGUMENT);
    scanout = scanout_in(fd, LBX_MEMORY_FILE);
    scanout.data = &scanout;
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_ARGUMENT);
    scanout = scanout_in(fd, LBX_MEMORY_FILE);
    scanout.format = LBX_FORMAT_BGRX8;
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_ARGUMENT);
    scanout.format = 0;
    scanout.fourcc = fourcc_xr24 + 1;
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_ARGUMENT);
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    scanout = scanout_in(pipes[0], LBX_MEMORY_FILE);
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_ERROR_SYSTEM);
    CHECK(close(fd) == 0 && close(pipes[0]) == 0 && close(pipes[1]) == 0);
    CHECK(lbx_output_damage_unknown(world.output, NULL) == LBX_ERROR_STATE);
    end(world);
}

/* --- Memory that only a GPU can read --- */

struct gpu {
    lbx_output *output;
    uint32_t colour;
    unsigned reads, pixels;
    int fails, released;
};

static int read_back(void *userdata, const lbx_rect *rect, void *to, size_t stride)
{
    struct gpu *gpu = userdata;
    CHECK(rect->x + rect->w <= WIDTH && rect->y + rect->h <= HEIGHT && stride >= rect->w * 4);
    for (uint32_t y = 0; y < rect->h; y++)
        for (uint32_t x = 0; x < rect->w; x++)
            memcpy((uint8_t *)to + y * stride + 4 * x, &gpu->colour, sizeof gpu->colour);
    gpu->reads++;
    gpu->pixels += rect->w * rect->h;
    /* To look inside a look would be for ever, and is refused. */
    CHECK(lbx_output_damage_unknown(gpu->output, NULL) == LBX_ERROR_STATE);
    return gpu->fails;
}

static void count_release(void *userdata) { ((struct gpu *)userdata)->released++; }

static void a_gpu_is_asked_for_what_is_damaged(void)
{
    struct world world = new_world(LBX_NONE);
    struct gpu gpu = { .output = world.output, .colour = 0x445566 };
    const lbx_scanout scanout = { .size = sizeof scanout, .userdata = &gpu, .release = count_release, .w = WIDTH,
                                  .h = HEIGHT, .format = LBX_FORMAT_BGRX8, .read = read_back };
    const lbx_rect rects[2] = { { 1, 2, 3, 4 }, { WIDTH - 1, 0, 100, 1 } };
    uint32_t changed = 0;
    CHECK(lbx_output_set_scanout(world.output, &scanout) == LBX_OK);
    CHECK(lbx_output_damage(world.output, rects, 2, &changed) == LBX_OK && changed == 2);
    CHECK(gpu.reads == 1 && gpu.pixels == WIDTH * HEIGHT);
    gpu.colour = 0x778899;
    CHECK(lbx_output_damage(world.output, rects, 2, &changed) == LBX_OK && changed == 2);
    CHECK(gpu.reads == 3 && gpu.pixels == WIDTH * HEIGHT + 3 * 4 + 1);
    CHECK(stats_of(world).staged_bytes == gpu.pixels * 4);
    gpu.fails = 5;
    CHECK(lbx_output_damage_unknown(world.output, NULL) == LBX_ERROR_STATE && gpu.released == 0);
    end(world);
    CHECK(gpu.released == 1);
}

int main(void)
{
    memory_is_copied_once();
    a_sealed_file_is_copied_once(LBX_MEMORY_FILE);
    a_sealed_file_is_copied_once(LBX_MEMORY_DMABUF);
    a_file_that_may_shrink_is_copied_twice_and_safely(LBX_MEMORY_FILE);
    a_file_that_may_shrink_is_copied_twice_and_safely(LBX_MEMORY_DMABUF);
    what_nobody_reported_is_found_in_a_file();
    what_is_no_scanout_is_refused();
    a_gpu_is_asked_for_what_is_damaged();
    return 0;
}
