/*
 * What the display file of a virtual machine monitor looks like: the ui_ functions below are called as QEMU calls its
 * DisplayChangeListenerOps, and call back into the machine as its input and console code wants it.
 *
 *     host_vm [--listen ADDRESS:PORT] [--host NAME] [--frames N] [--dump FILE.ppm]
 *
 * The machine is a pretended one: its firmware shows a small screen until somebody presses Enter, then a thread that stands
 * for the guest switches to a larger one and moves a box. It paints a frame when the one before was taken, and follows the
 * size that a terminal wishes. With --frames it stops after N, waits until every client has proved the last one, lights
 * Scroll Lock, writes that picture to --dump, and goes when the last client has gone. Terminals may come, vanish and come
 * back meanwhile: the machine does not notice.
 */
#define _GNU_SOURCE
#include <lightbox.h>

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIRMWARE_W = 320, FIRMWARE_H = 200, DESKTOP_W = 640, DESKTOP_H = 400, BOX = 96, QNUM_ENTER = 0x1C };

/* --- The machine: a stand-in for the rest of the monitor --- */

/* A mode's video memory, shared by descriptor. */
struct surface {
    int fd;
    uint32_t w, h;
    size_t bytes;
    uint32_t *pixels;
};

struct machine {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t guest;
    struct surface *shown;
    uint32_t want_w, want_h; /* A mode to switch to, if not 0. */
    unsigned long frames, painted;
    bool on, booted, may_paint;
    struct ui *ui;
};

/* What the monitor knows of its display: this file's own. */
struct ui {
    struct machine *machine;
    lbx_server *server;
    lbx_output *output;
    uint64_t frame;
    unsigned sessions;
    bool finished;
};

static void ui_gfx_switch(struct ui *ui, struct surface *surface);
static void ui_gfx_update(struct ui *ui, const lbx_rect *rects, size_t rects_len);
static void ui_cursor_define(struct ui *ui);
static void ui_mouse_set(struct ui *ui, uint32_t x, uint32_t y, bool visible);

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct surface *new_surface(uint32_t w, uint32_t h)
{
    struct surface *surface = malloc(sizeof *surface);
    if (surface == NULL)
        fail("memory");
    *surface = (struct surface){ .fd = memfd_create("vram", MFD_ALLOW_SEALING | MFD_CLOEXEC), .w = w, .h = h,
                                 .bytes = (size_t)w * h * 4 };
    /* Sealed, so that the library may look at it in place. */
    if (surface->fd < 0 || ftruncate(surface->fd, (off_t)surface->bytes) != 0 ||
        fcntl(surface->fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
        fail("video memory");
    void *pixels = mmap(NULL, surface->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, surface->fd, 0);
    if (pixels == MAP_FAILED)
        fail("video memory");
    surface->pixels = pixels;
    return surface;
}

static void free_surface(void *userdata)
{
    struct surface *surface = userdata;
    munmap(surface->pixels, surface->bytes);
    close(surface->fd);
    free(surface);
}

static void fill(struct surface *surface, lbx_rect rect, bool is_box)
{
    for (uint32_t y = rect.y; y < rect.y + rect.h && y < surface->h; y++)
        for (uint32_t x = rect.x; x < rect.x + rect.w && x < surface->w; x++)
            surface->pixels[y * surface->w + x] = is_box ? ((((x - rect.x) ^ (y - rect.y)) & 8) != 0 ? 0xE8F0F8 : 0x182848)
                                                         : (x * 255 / surface->w) << 8 | (y * 255 / surface->h);
}

/* Where the box is in this frame: it bounces off the walls. */
static lbx_rect box_at(const struct surface *surface, unsigned long frame)
{
    const uint32_t across = surface->w - BOX, down = surface->h - BOX;
    const uint32_t x = (uint32_t)(frame * 9 % (2ul * across)), y = (uint32_t)(frame * 4 % (2ul * down));
    return (lbx_rect){ x < across ? x : 2 * across - x, y < down ? y : 2 * down - y, BOX, BOX };
}

/* The guest switches its mode: the surface before is the display's until that lets go of it. */
static void switch_mode(struct machine *machine)
{
    struct surface *surface = new_surface(machine->want_w, machine->want_h);
    machine->want_w = machine->want_h = 0;
    fill(surface, (lbx_rect){ 0, 0, surface->w, surface->h }, false);
    fill(surface, box_at(surface, machine->painted), true);
    machine->shown = surface;
    ui_gfx_switch(machine->ui, surface);
}

static void paint_frame(struct machine *machine)
{
    const lbx_rect damage[2] = { box_at(machine->shown, machine->painted), box_at(machine->shown, machine->painted + 1) };
    fill(machine->shown, damage[0], false);
    fill(machine->shown, damage[1], true);
    machine->painted++;
    ui_gfx_update(machine->ui, damage, 2);
    ui_mouse_set(machine->ui, damage[1].x + BOX / 2, damage[1].y + BOX / 2, true);
}

/* The guest's thread: it waits for its vertical blank, which here is the word that the last frame was taken. */
static void *run_guest(void *userdata)
{
    struct machine *machine = userdata;
    pthread_mutex_lock(&machine->mutex);
    ui_cursor_define(machine->ui);
    while (machine->on) {
        const bool paints = machine->booted && machine->may_paint &&
                            (machine->frames == 0 || machine->painted < machine->frames);
        if (machine->want_w != 0) {
            switch_mode(machine);
        } else if (paints) {
            machine->may_paint = false;
            paint_frame(machine);
        } else {
            pthread_cond_wait(&machine->changed, &machine->mutex);
        }
    }
    pthread_mutex_unlock(&machine->mutex);
    return NULL;
}

static void machine_set_mode(struct machine *machine, uint32_t w, uint32_t h)
{
    pthread_mutex_lock(&machine->mutex);
    machine->want_w = w < 2 * BOX ? 2 * BOX : w > 4096 ? 4096 : w / 8 * 8;
    machine->want_h = h < 2 * BOX ? 2 * BOX : h > 4096 ? 4096 : h;
    pthread_cond_signal(&machine->changed);
    pthread_mutex_unlock(&machine->mutex);
}

static void machine_key(struct machine *machine, uint32_t qnum, bool down)
{
    if (qnum != QNUM_ENTER || !down)
        return;
    pthread_mutex_lock(&machine->mutex);
    const bool boots = !machine->booted;
    machine->booted = true;
    pthread_cond_signal(&machine->changed);
    pthread_mutex_unlock(&machine->mutex);
    if (boots)
        machine_set_mode(machine, DESKTOP_W, DESKTOP_H);
}

static void machine_vertical_blank(struct machine *machine)
{
    pthread_mutex_lock(&machine->mutex);
    machine->may_paint = true;
    pthread_cond_signal(&machine->changed);
    pthread_mutex_unlock(&machine->mutex);
}

/* True once the guest shows its last frame. */
static bool machine_is_still(struct machine *machine)
{
    pthread_mutex_lock(&machine->mutex);
    const bool still = machine->booted && machine->want_w == 0 && machine->frames != 0 &&
                       machine->painted == machine->frames && machine->may_paint;
    pthread_mutex_unlock(&machine->mutex);
    return still;
}

/* --- The display: what a monitor adds to be a Lightbox host --- */

/* Says what the library says, and goes. */
static void must(lbx_result result, const char *what)
{
    if (result != LBX_OK) {
        fprintf(stderr, "host_vm: %s: %s: %s\n", what, lbx_result_text(result), lbx_error_text());
        exit(1);
    }
}

/* The guest's picture is another surface. Its memory is free_surface()'s when the library lets go of it. */
static void ui_gfx_switch(struct ui *ui, struct surface *surface)
{
    const lbx_scanout scanout = { .size = sizeof scanout, .memory = LBX_MEMORY_FILE, .fd = surface->fd,
                                  .stride = surface->w * 4, .w = surface->w, .h = surface->h,
                                  .format = LBX_FORMAT_BGRX8, .userdata = surface, .release = free_surface };
    must(lbx_output_set_scanout(ui->output, &scanout), "scanout");
    must(lbx_output_damage_unknown(ui->output, NULL), "first frame");
    must(lbx_output_notify(ui->output, ++ui->frame), "notice");
}

/* The guest painted here. On the guest's thread, as all four of these are. */
static void ui_gfx_update(struct ui *ui, const lbx_rect *rects, size_t rects_len)
{
    must(lbx_output_damage(ui->output, rects, rects_len, NULL), "damage");
    must(lbx_output_notify(ui->output, ++ui->frame), "notice");
}

static void ui_cursor_define(struct ui *ui)
{
    uint8_t arrow[12 * 12 * 4];
    memset(arrow, 0xFF, sizeof arrow);
    must(lbx_cursor_define(ui->output, 12, 12, 0, 0, arrow), "cursor");
}

static void ui_mouse_set(struct ui *ui, uint32_t x, uint32_t y, bool visible)
{
    must(lbx_cursor_move(ui->output, x, y, visible), "cursor");
}

/* What the person did, in the numbers of a PC. */
static void ui_input(struct ui *ui, const lbx_input *input)
{
    switch (input->kind) {
    case LBX_INPUT_KEY:
        machine_key(ui->machine, lbx_input_qnum(input->code), input->pressed);
        break;
    case LBX_INPUT_POINTER: /* An absolute device, as a tablet: x and y of the monitor's pixels. */
    case LBX_INPUT_BUTTON:
        fprintf(stderr, "host_vm: pointer at %" PRIu32 ",%" PRIu32 ", button %#" PRIx32 "\n", input->x, input->y, input->code);
        break;
    case LBX_INPUT_MOTION: /* A mouse, in 1/256 pixel. */
    case LBX_INPUT_WHEEL:  /* In 1/120 notch. */
        fprintf(stderr, "host_vm: moved by %" PRId32 ",%" PRId32 "\n", input->dx, input->dy);
        break;
    default: /* Touch, text and lock keys: of no interest to this machine. */
        break;
    }
}

static void ui_event(struct ui *ui, const lbx_server_event *event)
{
    switch (event->kind) {
    case LBX_SERVER_JOINED:
        ui->sessions++;
        fprintf(stderr, "host_vm: %s joined\n", event->text);
        break;
    case LBX_SERVER_DETACHED: /* The machine goes on, and the session with it when its terminal is back. */
        fprintf(stderr, "host_vm: a terminal is gone (%s)\n", event->text);
        break;
    case LBX_SERVER_RESUMED:
        fprintf(stderr, "host_vm: a terminal is back\n");
        break;
    case LBX_SERVER_LEFT:
        ui->sessions--;
        break;
    case LBX_SERVER_INPUT:
        ui_input(ui, &event->input);
        break;
    case LBX_SERVER_WANT_LAYOUT:
        if (event->places_len > 0)
            machine_set_mode(ui->machine, event->places[0].w, event->places[0].h);
        break;
    case LBX_SERVER_FRAME_DONE:
        machine_vertical_blank(ui->machine);
        break;
    default: /* Of a later version, or of no interest. */
        break;
    }
}

static void ui_start(struct ui *ui, struct machine *machine, const char *listen, const char *host)
{
    const lbx_server_config config = { .size = sizeof config, .listen = listen, .keep_tickets = 1 };
    *ui = (struct ui){ .machine = machine };
    must(lbx_server_new(&config, &ui->server), "server");
    must(lbx_output_new(ui->server, FIRMWARE_W, FIRMWARE_H, LBX_FORMAT_BGRX8, &ui->output), "output");
    char address[LBX_ADDRESS_SPACE];
    must(lbx_server_address(ui->server, host, address, sizeof address), "address");
    printf("%s\n", address);
    fflush(stdout);
}

/* The monitor's own loop would poll this descriptor beside its others. */
static void ui_poll(struct ui *ui, int wait_ms)
{
    struct pollfd events = { .fd = lbx_server_event_fd(ui->server), .events = POLLIN };
    poll(&events, 1, wait_ms);
    lbx_server_event event = { .size = sizeof event };
    lbx_result result;
    while ((result = lbx_server_next_event(ui->server, &event)) == LBX_OK)
        ui_event(ui, &event);
    if (result != LBX_AGAIN)
        must(result, "event");
}

static void ui_stop(struct ui *ui)
{
    lbx_output_free(ui->output);
    lbx_server_free(ui->server);
}

/* --- The program --- */

static void dump(const struct surface *surface, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        fail(path);
    fprintf(file, "P6\n%" PRIu32 " %" PRIu32 "\n255\n", surface->w, surface->h);
    for (size_t i = 0; i < (size_t)surface->w * surface->h; i++) {
        const uint32_t pixel = surface->pixels[i];
        const uint8_t rgb[3] = { (uint8_t)(pixel >> 16), (uint8_t)(pixel >> 8), (uint8_t)pixel };
        fwrite(rgb, sizeof rgb, 1, file);
    }
    if (fclose(file) != 0)
        fail(path);
}

/* Until the film is over, everybody has proved the last frame, and the last one has gone. */
static void serve(struct ui *ui, const char *path)
{
    while (!ui->finished || ui->sessions > 0) {
        ui_poll(ui, 20);
        if (!ui->finished && ui->sessions > 0 && machine_is_still(ui->machine) && lbx_server_is_settled(ui->server)) {
            if (path != NULL)
                dump(ui->machine->shown, path);
            must(lbx_server_set_leds(ui->server, LBX_LOCK_SCROLL), "lamps");
            ui->finished = true;
        }
    }
}

int main(int argc, char **argv)
{
    const char *listen = "127.0.0.1:0", *host = "127.0.0.1", *path = NULL;
    struct machine machine = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .on = true,
                               .want_w = FIRMWARE_W, .want_h = FIRMWARE_H };
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value != NULL && strcmp(argv[i], "--listen") == 0)
            listen = value;
        else if (value != NULL && strcmp(argv[i], "--host") == 0)
            host = value;
        else if (value != NULL && strcmp(argv[i], "--frames") == 0)
            machine.frames = strtoul(value, NULL, 10);
        else if (value != NULL && strcmp(argv[i], "--dump") == 0)
            path = value;
        else {
            fprintf(stderr, "host_vm [--listen ADDRESS:PORT] [--host NAME] [--frames N] [--dump FILE.ppm]\n");
            return 2;
        }
    }
    struct ui ui;
    ui_start(&ui, &machine, listen, host);
    machine.ui = &ui;
    if (pthread_create(&machine.guest, NULL, run_guest, &machine) != 0)
        fail("guest");
    serve(&ui, path);
    pthread_mutex_lock(&machine.mutex);
    machine.on = false;
    pthread_cond_signal(&machine.changed);
    pthread_mutex_unlock(&machine.mutex);
    pthread_join(machine.guest, NULL);
    ui_stop(&ui);
    return 0;
}
