/*
 * The smallest thin client: it shows nothing, but knows what it would show, and writes it to a file.
 *
 *     mini_terminal ADDRESS FILE.ppm
 *
 * It connects, presses Enter, and waits for Scroll Lock, with which mini_host says that its film is over. Then it makes
 * sure that every tile is verified: the server has compared this client's digests with its own picture.
 */
#define _POSIX_C_SOURCE 200809L
#include <lightbox.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_ENTER = 28 };

/* Says what the library says, and goes. */
static void must(lbx_result result, const char *what)
{
    if (result != LBX_OK) {
        fprintf(stderr, "mini_terminal: %s: %s: %s\n", what, lbx_result_text(result), lbx_error_text());
        exit(1);
    }
}

static void press_enter(lbx_client *client)
{
    must(lbx_client_key(client, KEY_ENTER, 1), "key");
    must(lbx_client_key(client, KEY_ENTER, 0), "key");
}

/* Takes events until there is none. True once Scroll Lock is lit; `*surface` becomes the last surface there is. */
static bool read_events(lbx_client *client, uint32_t *surface)
{
    bool over = false;
    lbx_client_event event = { .size = sizeof event };
    lbx_result result;
    while ((result = lbx_client_next_event(client, &event)) == LBX_OK) {
        switch (event.kind) {
        case LBX_CLIENT_CONNECTED:
            press_enter(client);
            break;
        case LBX_CLIENT_SURFACE:
            *surface = event.surface;
            break;
        case LBX_CLIENT_LEDS:
            over = (event.locks & LBX_LOCK_SCROLL) != 0;
            break;
        case LBX_CLIENT_ENDED:
            fprintf(stderr, "mini_terminal: the session is over: %s\n", event.text);
            exit(1);
        default: /* A window would paint on LBX_CLIENT_UPDATED. */
            break;
        }
    }
    if (result != LBX_AGAIN)
        must(result, "event");
    return over;
}

static void write_ppm(FILE *file, const lbx_frame *frame)
{
    fprintf(file, "P6\n%" PRIu32 " %" PRIu32 "\n255\n", frame->w, frame->h);
    for (uint32_t y = 0; y < frame->h; y++) {
        const uint8_t *row = (const uint8_t *)frame->data + y * frame->stride;
        for (uint32_t x = 0; x < frame->w; x++) {
            const uint8_t rgb[3] = { row[4 * x + 2], row[4 * x + 1], row[4 * x] };
            fwrite(rgb, sizeof rgb, 1, file);
        }
    }
}

/* Writes the surface, held still meanwhile. */
static void save(lbx_client *client, uint32_t number, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    lbx_surface *surface = NULL;
    must(lbx_surface_acquire(client, number, &surface), "surface");
    lbx_frame frame = { .size = sizeof frame };
    must(lbx_surface_frame(surface, &frame), "frame");
    if (frame.format == LBX_FORMAT_BGRX8)
        write_ppm(file, &frame);
    must(lbx_surface_release(surface), "release");
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "mini_terminal ADDRESS FILE.ppm\n");
        return 2;
    }
    const lbx_client_config config = { .size = sizeof config, .address = argv[1], .terminal = "mini terminal" };
    lbx_client *client = NULL;
    must(lbx_client_new(&config, &client), "client");

    struct pollfd events = { .fd = lbx_client_event_fd(client), .events = POLLIN };
    uint32_t surface = 0;
    do
        poll(&events, 1, -1);
    while (!read_events(client, &surface));

    lbx_counts counts = { .size = sizeof counts };
    must(lbx_client_counts(client, &counts), "counts");
    printf("%" PRIu32 " of %" PRIu32 " tiles verified\n", counts.verified, counts.total);
    save(client, surface, argv[2]);
    lbx_client_free(client);
    return counts.total > 0 && counts.verified == counts.total ? 0 : 1;
}
