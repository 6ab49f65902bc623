/*
 * A desktop and its terminal in one thread, on one loop: what lightbox.h promises of lbx_loop. Prints nothing and returns
 * 0 if all of it holds.
 */
#define _POSIX_C_SOURCE 200809L
#include <lightbox.h>

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
    ((condition) ? (void)0 \
                 : (fprintf(stderr, "one_loop.c:%d: %s does not hold (%s)\n", __LINE__, #condition, lbx_error_text()), \
                    exit(1)))

enum { WIDTH = 320, HEIGHT = 200, FRAMES = 500, PATIENCE_MS = 60000 };

static uint32_t framebuffer[HEIGHT][WIDTH];

struct desk {
    lbx_loop *loop;
    lbx_server *server;
    lbx_output *output;
};

static unsigned threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* What a host's main loop does. */
static void turn(lbx_loop *loop)
{
    struct pollfd fd = { .fd = lbx_loop_fd(loop), .events = POLLIN };
    CHECK(poll(&fd, 1, PATIENCE_MS) == 1);
    CHECK(lbx_loop_dispatch(loop, NULL) == LBX_OK);
}

static struct desk new_desk(lbx_loop *loop)
{
    const lbx_server_config config = { .size = sizeof config, .listen = "127.0.0.1:0", .loop = loop };
    struct desk desk = { .loop = loop };
    CHECK(lbx_server_new(&config, &desk.server) == LBX_OK);
    CHECK(lbx_output_new(desk.server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &desk.output) == LBX_OK);
    const lbx_scanout scanout = { .size = sizeof scanout, .data = framebuffer, .stride = sizeof framebuffer[0],
                                  .w = WIDTH, .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
    CHECK(lbx_output_set_scanout(desk.output, &scanout) == LBX_OK);
    CHECK(lbx_output_damage_unknown(desk.output, NULL) == LBX_OK);
    return desk;
}

static lbx_client *new_client(struct desk *desk)
{
    char address[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_address(desk->server, "127.0.0.1", address, sizeof address) == LBX_OK);
    const lbx_client_config config = { .size = sizeof config, .address = address, .loop = desk->loop };
    lbx_client *client = NULL;
    CHECK(lbx_client_new(&config, &client) == LBX_OK);
    return client;
}

/* The next event of this kind that comes; others are passed over. */
static lbx_client_event hear(lbx_loop *loop, lbx_client *client, uint32_t kind)
{
    lbx_client_event event = { .size = sizeof event };
    for (;;) {
        lbx_result result;
        while ((result = lbx_client_next_event(client, &event)) == LBX_OK)
            if (event.kind == kind)
                return event;
        CHECK(result == LBX_AGAIN);
        turn(loop);
    }
}

static void until_proved(struct desk *desk, lbx_client *client)
{
    lbx_counts counts = { .size = sizeof counts };
    do {
        turn(desk->loop);
        CHECK(lbx_client_counts(client, &counts) == LBX_OK);
    } while (counts.total == 0 || counts.verified < counts.total || !lbx_server_is_settled(desk->server));
    lbx_surface *surface = NULL;
    CHECK(lbx_surface_acquire(client, 0, &surface) == LBX_OK);
    lbx_frame frame = { .size = sizeof frame };
    CHECK(lbx_surface_frame(surface, &frame) == LBX_OK && frame.w == WIDTH && frame.h == HEIGHT);
    for (unsigned y = 0; y < HEIGHT; y++)
        for (unsigned x = 0; x < WIDTH; x++) {
            uint32_t pixel;
            memcpy(&pixel, (const uint8_t *)frame.data + y * frame.stride + x * sizeof pixel, sizeof pixel);
            CHECK((pixel & 0xFFFFFF) == (framebuffer[y][x] & 0xFFFFFF));
        }
    CHECK(lbx_surface_release(surface) == LBX_OK);
}

/* The guest: paints and reports, on a thread of the host's own. */
static void *paint(void *of)
{
    const struct desk *desk = of;
    for (unsigned n = 0; n < FRAMES; n++) {
        const lbx_rect rect = { n * 37 % (WIDTH - 40), n * 53 % (HEIGHT - 40), 40, 40 };
        for (unsigned y = rect.y; y < rect.y + rect.h; y++)
            for (unsigned x = rect.x; x < rect.x + rect.w; x++)
                framebuffer[y][x] = n * 0x010305 ^ x << 8 ^ y;
        CHECK(lbx_output_damage(desk->output, &rect, 1, NULL) == LBX_OK);
    }
    return NULL;
}

static void both_sides_run_in_this_thread_alone(void)
{
    const unsigned before = threads();
    lbx_loop *loop = NULL;
    CHECK(lbx_loop_new(&loop) == LBX_OK);
    struct desk desk = new_desk(loop);
    lbx_client *client = new_client(&desk);
    until_proved(&desk, client);
    CHECK(threads() == before);

    pthread_t guest;
    CHECK(pthread_create(&guest, NULL, paint, &desk) == 0);
    for (unsigned n = 0; n < 20; n++)
        turn(loop);
    CHECK(pthread_join(guest, NULL) == 0);
    until_proved(&desk, client);
    CHECK(threads() == before);

    /* What was freed has a goodbye that leaves with the turns after it. */
    lbx_output_free(desk.output);
    lbx_server_free(desk.server);
    CHECK(hear(loop, client, LBX_CLIENT_ENDED).code != 0);
    lbx_client_free(client);
    lbx_loop_free(loop);
}

static void a_client_whose_loop_is_freed_has_ended(void)
{
    lbx_loop *loop = NULL;
    CHECK(lbx_loop_new(&loop) == LBX_OK);
    struct desk desk = new_desk(loop);
    lbx_client *client = new_client(&desk);
    until_proved(&desk, client);
    lbx_loop_free(loop);
    lbx_client_event event = { .size = sizeof event };
    uint32_t last = 0;
    while (lbx_client_next_event(client, &event) == LBX_OK)
        last = event.kind;
    CHECK(last == LBX_CLIENT_ENDED);
    CHECK(lbx_loop_dispatch(loop, NULL) == LBX_ERROR_HANDLE && lbx_loop_fd(loop) == -1);
    const lbx_client_config config = { .size = sizeof config, .address = "lightbox://127.0.0.1:1", .loop = loop };
    lbx_client *none = NULL;
    CHECK(lbx_client_new(&config, &none) == LBX_ERROR_HANDLE && none == NULL);
    lbx_client_free(client);
    lbx_output_free(desk.output);
    lbx_server_free(desk.server);
}

struct callback {
    lbx_loop *loop;
    lbx_result inside, beside;
    unsigned calls;
};

static void *dispatch_beside(void *of)
{
    struct callback *callback = of;
    callback->beside = lbx_loop_dispatch(callback->loop, NULL);
    return NULL;
}

static void on_log(void *userdata, uint32_t level, const char *target, const char *text)
{
    (void)level, (void)target, (void)text;
    struct callback *callback = userdata;
    if (callback->calls++ > 0)
        return;
    pthread_t other;
    callback->inside = lbx_loop_dispatch(callback->loop, NULL);
    CHECK(pthread_create(&other, NULL, dispatch_beside, callback) == 0 && pthread_join(other, NULL) == 0);
}

static void misuse_is_an_error(void)
{
    CHECK(lbx_loop_new(NULL) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_loop_dispatch(NULL, NULL) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_loop_fd(NULL) == -1 && lbx_loop_timeout_ms(NULL) == -1);
    lbx_loop_free(NULL);

    lbx_loop *loop = NULL;
    CHECK(lbx_loop_new(&loop) == LBX_OK);
    bool more = true;
    CHECK(lbx_loop_timeout_ms(loop) == -1 && lbx_loop_dispatch(loop, &more) == LBX_OK && !more);
    struct desk desk = new_desk(loop);
    CHECK(lbx_loop_timeout_ms(loop) == 0);

    /* A refused client is something to log, and that happens in a turn. */
    struct callback callback = { .loop = loop };
    char address[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_address(desk.server, "127.0.0.1", address, sizeof address) == LBX_OK);
    char *ticket = strrchr(address, '/') + 1;
    ticket[0] = ticket[0] == 'A' ? 'B' : 'A';
    const lbx_client_config stranger = { .size = sizeof stranger, .address = address, .loop = loop };
    CHECK(lbx_log_set(LBX_LOG_INFO, on_log, &callback) == LBX_OK);
    lbx_client *client = NULL;
    CHECK(lbx_client_new(&stranger, &client) == LBX_OK);
    hear(loop, client, LBX_CLIENT_ENDED);
    CHECK(callback.calls > 0 && callback.inside == LBX_ERROR_STATE && callback.beside == LBX_ERROR_THREAD);
    CHECK(lbx_log_set(LBX_LOG_OFF, NULL, NULL) == LBX_OK);
    lbx_client_free(client);
    lbx_output_free(desk.output);
    lbx_server_free(desk.server);
    lbx_loop_free(loop);
}

int main(void)
{
    both_sides_run_in_this_thread_alone();
    a_client_whose_loop_is_freed_has_ended();
    misuse_is_an_error();
    return 0;
}
