/*
 * The smallest hypervisor: a framebuffer in which something moves, served to whoever has the address.
 *
 *     mini_host [--listen ADDRESS:PORT] [--host NAME] [--frames N] [--dump FILE.ppm]
 *
 * It prints the address to paste into a client. When somebody presses Enter its film runs: with --frames, N frames of
 * it, after which it waits until every client has proved that it shows the last one, lights Scroll Lock, writes that
 * frame to --dump, and goes when the last client has gone. Without --frames the film runs until the program is stopped.
 */
#define _POSIX_C_SOURCE 200809L
#include <lightbox.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 400, BOX = 96, FRAME_MS = 16, KEY_ENTER = 28 };

static uint32_t framebuffer[HEIGHT][WIDTH];

struct options {
    const char *listen, *host, *dump;
    unsigned long frames;
};

struct host {
    lbx_server *server;
    lbx_output *output;
    bool running;
    unsigned sessions;
    unsigned long shown;
};

/* Says what the library says, and goes. */
static void must(lbx_result result, const char *what)
{
    if (result != LBX_OK) {
        fprintf(stderr, "mini_host: %s: %s: %s\n", what, lbx_result_text(result), lbx_error_text());
        exit(1);
    }
}

/* Where the box is in this frame: it bounces off the walls. */
static lbx_rect box_at(unsigned long frame)
{
    const unsigned across = WIDTH - BOX, down = HEIGHT - BOX;
    const unsigned x = (unsigned)(frame * 7 % (2ul * across)), y = (unsigned)(frame * 5 % (2ul * down));
    return (lbx_rect){ x < across ? x : 2 * across - x, y < down ? y : 2 * down - y, BOX, BOX };
}

/* The background where nothing moves: a gradient. */
static uint32_t background(unsigned x, unsigned y)
{
    return (x * 255 / WIDTH) << 16 | (y * 255 / HEIGHT) << 8 | 0x60;
}

/* Paints a rect with the box's checks, or the background. */
static void paint(lbx_rect rect, bool is_box)
{
    for (unsigned y = rect.y; y < rect.y + rect.h; y++)
        for (unsigned x = rect.x; x < rect.x + rect.w; x++)
            framebuffer[y][x] = !is_box                                   ? background(x, y)
                                : (((x - rect.x) ^ (y - rect.y)) & 8) != 0 ? 0xFFFFFF
                                                                           : 0x202020;
}

/* The next frame: the box leaves one place and comes to another, and that is the damage. */
static void next_frame(struct host *host)
{
    const lbx_rect damage[2] = { box_at(host->shown), box_at(host->shown + 1) };
    paint(damage[0], false);
    paint(damage[1], true);
    must(lbx_output_damage(host->output, damage, 2, NULL), "damage");
    must(lbx_cursor_move(host->output, damage[1].x + BOX / 2, damage[1].y + BOX / 2, 1), "cursor");
    host->shown++;
}

static void start(struct host *host, const struct options *options)
{
    const lbx_server_config config = { .size = sizeof config, .listen = options->listen };
    must(lbx_server_new(&config, &host->server), "server");
    must(lbx_output_new(host->server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &host->output), "output");

    paint((lbx_rect){ 0, 0, WIDTH, HEIGHT }, false);
    paint(box_at(0), true);
    /* The framebuffer is static, so nobody needs to know when it is released. */
    const lbx_scanout scanout = { .size = sizeof scanout, .data = framebuffer, .stride = sizeof framebuffer[0],
                                  .w = WIDTH, .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
    must(lbx_output_set_scanout(host->output, &scanout), "scanout");
    must(lbx_output_damage_unknown(host->output, NULL), "first frame");

    uint8_t arrow[16 * 16 * 4];
    memset(arrow, 0xFF, sizeof arrow);
    must(lbx_cursor_define(host->output, 16, 16, 0, 0, arrow), "cursor");

    char address[LBX_ADDRESS_SPACE];
    must(lbx_server_address(host->server, options->host, address, sizeof address), "address");
    printf("%s\n", address);
    fflush(stdout);
}

/* Takes what clients did. */
static void read_events(struct host *host)
{
    lbx_server_event event = { .size = sizeof event };
    lbx_result result;
    while ((result = lbx_server_next_event(host->server, &event)) == LBX_OK) {
        switch (event.kind) {
        case LBX_SERVER_JOINED:
            host->sessions++;
            fprintf(stderr, "mini_host: %s joined\n", event.text);
            break;
        case LBX_SERVER_LEFT:
            host->sessions--;
            fprintf(stderr, "mini_host: a client left (%s)\n", event.text);
            break;
        case LBX_SERVER_INPUT:
            if (event.input.kind == LBX_INPUT_KEY) {
                fprintf(stderr, "mini_host: key %" PRIu32 ", PC scancode %#" PRIx32 ", %s\n", event.input.code,
                        lbx_input_qnum(event.input.code), event.input.pressed ? "down" : "up");
                host->running |= event.input.code == KEY_ENTER && event.input.pressed;
            }
            break;
        default: /* Of no interest here, or of a later version. */
            break;
        }
    }
    if (result != LBX_AGAIN)
        must(result, "event");
}

static void dump(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, "P6\n%d %d\n255\n", WIDTH, HEIGHT);
    for (unsigned y = 0; y < HEIGHT; y++)
        for (unsigned x = 0; x < WIDTH; x++) {
            const uint32_t pixel = framebuffer[y][x];
            const uint8_t rgb[3] = { (uint8_t)(pixel >> 16), (uint8_t)(pixel >> 8), (uint8_t)pixel };
            fwrite(rgb, sizeof rgb, 1, file);
        }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void finish(struct host *host, const struct options *options)
{
    if (options->dump != NULL)
        dump(options->dump);
    must(lbx_server_set_leds(host->server, LBX_LOCK_SCROLL), "lamps");
    lbx_output_stats stats = { .size = sizeof stats };
    must(lbx_output_read_stats(host->output, &stats), "stats");
    fprintf(stderr, "mini_host: %" PRIu64 " frames, %" PRIu64 " tiles changed, all proved\n", stats.submitted,
            stats.changed_tiles);
}

/* Until the film is over, everybody has proved the last frame, and the last one has gone. */
static void serve(struct host *host, const struct options *options)
{
    struct pollfd events = { .fd = lbx_server_event_fd(host->server), .events = POLLIN };
    bool finished = false;
    while (!finished || host->sessions > 0) {
        poll(&events, 1, FRAME_MS);
        read_events(host);
        if (!host->running || finished)
            continue;
        if (options->frames == 0 || host->shown < options->frames) {
            next_frame(host);
        } else if (host->sessions > 0 && lbx_server_is_settled(host->server)) {
            finish(host, options);
            finished = true;
        }
    }
}

int main(int argc, char **argv)
{
    struct options options = { .listen = "127.0.0.1:0", .host = "127.0.0.1" };
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value != NULL && strcmp(argv[i], "--listen") == 0)
            options.listen = value;
        else if (value != NULL && strcmp(argv[i], "--host") == 0)
            options.host = value;
        else if (value != NULL && strcmp(argv[i], "--frames") == 0)
            options.frames = strtoul(value, NULL, 10);
        else if (value != NULL && strcmp(argv[i], "--dump") == 0)
            options.dump = value;
        else {
            fprintf(stderr, "mini_host [--listen ADDRESS:PORT] [--host NAME] [--frames N] [--dump FILE.ppm]\n");
            return 2;
        }
    }
    struct host host = { 0 };
    start(&host, &options);
    serve(&host, &options);
    lbx_output_free(host.output);
    lbx_server_free(host.server);
    return 0;
}
