/*
 * A thin client's main loop: one thread, one poll(), and no thread of the library's.
 *
 *     terminal ADDRESS
 *
 * It keeps a framebuffer of its own for each monitor, as a terminal with a display does, and copies into it what changed.
 * It says on its output what happens, and does what its input says:
 *
 *     key CODE 0|1             a key (Linux evdev) goes up or down
 *     pointer X Y              the pointer moves, on the first monitor
 *     button CODE 0|1 X Y      a pointer button goes up or down there
 *     text WORDS               as from an input method
 *     layout W H               the person would like one monitor of this size
 *     save FILE.ppm            writes the first monitor's framebuffer
 *     status                   says what is proved
 *     quit                     ends the session, as SIGINT and SIGTERM do
 */
#define _POSIX_C_SOURCE 200809L
#include <lightbox.h>

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { MONITORS = 16, LINE = 1024 };

/* A monitor's framebuffer: what would be scanned out. */
struct monitor {
    bool used;
    uint32_t surface, w, h, format;
    size_t stride;
    uint8_t *pixels;
};

struct terminal {
    lbx_loop *loop;
    lbx_client *client;
    struct monitor monitors[MONITORS];
    uint32_t output;
    char line[LINE];
    size_t line_len;
    bool over;
    int status;
};

/* Says what the library says, and goes. */
static void must(lbx_result result, const char *what)
{
    if (result != LBX_OK) {
        fprintf(stderr, "terminal: %s: %s: %s\n", what, lbx_result_text(result), lbx_error_text());
        exit(1);
    }
}

/* --- Framebuffers --- */

static struct monitor *find(struct terminal *terminal, uint32_t surface)
{
    for (int i = 0; i < MONITORS; i++)
        if (terminal->monitors[i].used && terminal->monitors[i].surface == surface)
            return &terminal->monitors[i];
    return NULL;
}

static void forget(struct terminal *terminal, uint32_t surface)
{
    struct monitor *monitor = find(terminal, surface);
    if (monitor != NULL) {
        free(monitor->pixels);
        *monitor = (struct monitor){ 0 };
    }
}

static size_t bytes_per_pixel(uint32_t format)
{
    return format == LBX_FORMAT_GRAY8 ? 1 : format == LBX_FORMAT_BGRX8 || format == LBX_FORMAT_BGRX10 ? 4 : 2;
}

/* Copies a part of a surface, which is held still meanwhile. */
static void copy(const struct terminal *terminal, struct monitor *monitor, const lbx_rect *rects, size_t len)
{
    lbx_surface *surface = NULL;
    if (lbx_surface_acquire(terminal->client, monitor->surface, &surface) != LBX_OK)
        return; /* It has gone already, and the event that says so comes. */
    lbx_frame frame = { .size = sizeof frame };
    must(lbx_surface_frame(surface, &frame), "frame");
    const size_t pixel = bytes_per_pixel(monitor->format);
    /* An event may be older than the surface, which has another size then; what is said of the new one follows. */
    const bool is_it = frame.w == monitor->w && frame.h == monitor->h && frame.format == monitor->format;
    for (size_t i = 0; is_it && i < len; i++)
        for (uint32_t y = rects[i].y; y < rects[i].y + rects[i].h; y++)
            memcpy(monitor->pixels + y * monitor->stride + rects[i].x * pixel,
                   (const uint8_t *)frame.data + y * frame.stride + rects[i].x * pixel, rects[i].w * pixel);
    must(lbx_surface_release(surface), "release");
}

/* A surface that is new, or begins anew in another shape. */
static void begin(struct terminal *terminal, const lbx_client_event *event)
{
    forget(terminal, event->surface);
    for (int i = 0; i < MONITORS; i++) {
        struct monitor *monitor = &terminal->monitors[i];
        if (monitor->used)
            continue;
        const size_t stride = event->w * bytes_per_pixel(event->format);
        *monitor = (struct monitor){ .used = true, .surface = event->surface, .w = event->w, .h = event->h,
                                     .format = event->format, .stride = stride,
                                     .pixels = calloc(event->h, stride) };
        if (monitor->pixels == NULL) {
            fprintf(stderr, "terminal: no memory for %" PRIu32 "x%" PRIu32 "\n", event->w, event->h);
            exit(1);
        }
        /* What a resumed session has shown before is there already. */
        copy(terminal, monitor, &(lbx_rect){ 0, 0, event->w, event->h }, 1);
        return;
    }
}

static void save(const struct monitor *monitor, const char *path)
{
    FILE *file = monitor->used && monitor->format == LBX_FORMAT_BGRX8 ? fopen(path, "wb") : NULL;
    if (file == NULL) {
        printf("nothing saved\n");
        return;
    }
    fprintf(file, "P6\n%" PRIu32 " %" PRIu32 "\n255\n", monitor->w, monitor->h);
    for (uint32_t y = 0; y < monitor->h; y++)
        for (uint32_t x = 0; x < monitor->w; x++) {
            const uint8_t *bgrx = monitor->pixels + y * monitor->stride + 4 * x;
            const uint8_t rgb[3] = { bgrx[2], bgrx[1], bgrx[0] };
            fwrite(rgb, sizeof rgb, 1, file);
        }
    printf(fclose(file) == 0 ? "saved %s\n" : "%s is not whole\n", path);
}

/* --- What the server has to say --- */

static void say_counts(struct terminal *terminal)
{
    lbx_counts now = { .size = sizeof now };
    must(lbx_client_counts(terminal->client, &now), "counts");
    if (now.refining > 0)
        printf("%" PRIu32 " of %" PRIu32 " tiles verified, %" PRIu32 " with an error of up to %" PRIu32 "\n",
               now.verified, now.total, now.refining, now.max_error);
    else
        printf("%" PRIu32 " of %" PRIu32 " tiles verified\n", now.verified, now.total);
}

static void on_event(struct terminal *terminal, const lbx_client_event *event)
{
    struct monitor *monitor;
    switch (event->kind) {
    case LBX_CLIENT_CONNECTED:
        printf(event->resumed ? "back\n" : "connected\n");
        break;
    case LBX_CLIENT_LOST: /* Pictures stay on the screen, but nothing of them is proved now. */
        printf("lost (%s), trying again\n", event->text);
        break;
    case LBX_CLIENT_ENDED:
        printf("over: %s\n", event->text);
        terminal->over = true;
        terminal->status = event->code == 0 ? 0 : 1;
        break;
    case LBX_CLIENT_SURFACE:
        printf("surface %" PRIu32 " %" PRIu32 "x%" PRIu32 "\n", event->surface, event->w, event->h);
        begin(terminal, event);
        break;
    case LBX_CLIENT_SURFACE_GONE:
        printf("surface %" PRIu32 " gone\n", event->surface);
        forget(terminal, event->surface);
        break;
    case LBX_CLIENT_UPDATED:
        monitor = find(terminal, event->surface);
        if (monitor != NULL)
            copy(terminal, monitor, event->rects, event->rects_len);
        break;
    case LBX_CLIENT_LAYOUT: /* Places of input are on the first monitor here. */
        printf("layout of %zu\n", event->places_len);
        if (event->places_len > 0)
            terminal->output = event->places[0].output;
        break;
    case LBX_CLIENT_LEDS:
        printf("lamps %" PRIu32 "\n", event->locks);
        break;
    default: /* A display would take the cursor's picture and place into its cursor plane. */
        break;
    }
}

static void read_events(struct terminal *terminal)
{
    lbx_client_event event = { .size = sizeof event };
    lbx_result result;
    while ((result = lbx_client_next_event(terminal->client, &event)) == LBX_OK)
        on_event(terminal, &event);
    if (result != LBX_AGAIN)
        must(result, "event");
}

/* --- What the person does --- */

static void on_line(struct terminal *terminal, const char *line)
{
    lbx_client *client = terminal->client;
    uint32_t code, down, x, y;
    lbx_result result = LBX_OK;
    if (sscanf(line, "key %" SCNu32 " %" SCNu32, &code, &down) == 2)
        result = lbx_client_key(client, code, down);
    else if (sscanf(line, "pointer %" SCNu32 " %" SCNu32, &x, &y) == 2)
        result = lbx_client_pointer(client, terminal->output, x, y);
    else if (sscanf(line, "button %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32, &code, &down, &x, &y) == 4)
        result = lbx_client_button(client, code, down, terminal->output, x, y);
    else if (strncmp(line, "text ", 5) == 0)
        result = lbx_client_text(client, line + 5);
    else if (sscanf(line, "layout %" SCNu32 " %" SCNu32, &x, &y) == 2)
        result = lbx_client_want_layout(client, &(lbx_place){ .w = x, .h = y, .scale = 120 }, 1);
    else if (strncmp(line, "save ", 5) == 0)
        save(&terminal->monitors[0], line + 5);
    else if (strcmp(line, "status") == 0)
        say_counts(terminal);
    else if (strcmp(line, "quit") == 0)
        terminal->over = true;
    else
        printf("what is \"%s\"?\n", line);
    if (result != LBX_OK)
        printf("%s: %s\n", lbx_result_text(result), lbx_error_text());
}

/* Takes what stands in the input, line by line; its end is the person's leaving. */
static void read_input(struct terminal *terminal)
{
    const ssize_t len = read(STDIN_FILENO, terminal->line + terminal->line_len, LINE - 1 - terminal->line_len);
    if (len <= 0) {
        terminal->over = true;
        return;
    }
    terminal->line_len += (size_t)len;
    char *start = terminal->line, *end;
    while (!terminal->over && (end = memchr(start, '\n', terminal->line_len)) != NULL) {
        *end = '\0';
        on_line(terminal, start);
        terminal->line_len -= (size_t)(end + 1 - start);
        start = end + 1;
    }
    memmove(terminal->line, start, terminal->line_len);
    if (terminal->line_len == LINE - 1)
        terminal->line_len = 0; /* Nobody means a line as long as that. */
}

/* --- The loop --- */

static void run(struct terminal *terminal, int signals)
{
    struct pollfd fds[] = {
        { .fd = lbx_loop_fd(terminal->loop), .events = POLLIN },
        { .fd = STDIN_FILENO, .events = POLLIN },
        { .fd = signals, .events = POLLIN },
    };
    while (!terminal->over) {
        fflush(stdout);
        poll(fds, sizeof fds / sizeof fds[0], -1);
        if (fds[0].revents != 0) {
            must(lbx_loop_dispatch(terminal->loop, NULL), "loop");
            read_events(terminal);
        }
        if (fds[1].revents != 0)
            read_input(terminal);
        if (fds[2].revents != 0)
            terminal->over = true;
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "terminal ADDRESS\n");
        return 2;
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    const int signals = signalfd(-1, &set, SFD_CLOEXEC);

    struct terminal terminal = { 0 };
    must(lbx_loop_new(&terminal.loop), "loop");
    const lbx_client_config config = { .size = sizeof config, .address = argv[1], .terminal = "terminal.c",
                                       .loop = terminal.loop };
    must(lbx_client_new(&config, &terminal.client), "client");
    run(&terminal, signals);

    /* The goodbye leaves while the loop ends. */
    lbx_client_free(terminal.client);
    lbx_loop_free(terminal.loop);
    for (int i = 0; i < MONITORS; i++)
        free(terminal.monitors[i].pixels);
    close(signals);
    return terminal.status;
}
