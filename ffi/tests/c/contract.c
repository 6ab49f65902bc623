/*
 * What lightbox.h promises, tried from C with both sides in one process. Prints nothing and returns 0 if all of it holds.
 */
#include "support.h"

#include <pthread.h>

/* --- The library itself --- */

static void the_header_is_the_library_s(void)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", LBX_VERSION_MAJOR, LBX_VERSION_MINOR, LBX_VERSION_PATCH);
    CHECK(lbx_version() == LBX_VERSION);
    CHECK(strcmp(lbx_version_text(), text) == 0);
}

static void null_is_an_argument_error(void)
{
    lbx_server *server = NULL;
    const lbx_server_config nowhere = { .size = sizeof nowhere };
    CHECK(lbx_server_new(NULL, &server) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_server_new(&nowhere, &server) == LBX_ERROR_ARGUMENT && server == NULL);
    CHECK(strstr(lbx_error_text(), "listen") != NULL);
    CHECK(lbx_output_damage_unknown(NULL, NULL) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_client_key(NULL, 30, 1) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_surface_acquire(NULL, 0, NULL) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_server_event_fd(NULL) == -1 && lbx_client_event_fd(NULL) == -1);
    CHECK(!lbx_server_is_settled(NULL) && lbx_server_port(NULL) == 0);
    CHECK(lbx_output_id(NULL) == LBX_NO_OUTPUT);
    CHECK(lbx_surface_release(NULL) == LBX_OK);
    lbx_server_free(NULL);
    lbx_output_free(NULL);
    lbx_client_free(NULL);
}

static void structs_grow(void)
{
    /* A program of a later version has more, which this library does not know. */
    struct {
        lbx_server_config known;
        uint64_t later;
    } config = { .known = { .size = sizeof config, .listen = "127.0.0.1:0", .workers = LBX_NONE } };
    lbx_server *server = NULL;
    config.later = 1;
    CHECK(lbx_server_new(&config.known, &server) == LBX_ERROR_ARGUMENT && server == NULL);
    config.later = 0;
    CHECK(lbx_server_new(&config.known, &server) == LBX_OK);

    struct {
        lbx_server_event known;
        uint64_t later;
    } event = { .known = { .size = 0 } };
    CHECK(lbx_server_next_event(server, &event.known) == LBX_ERROR_ARGUMENT);
    event.known.size = sizeof event;
    CHECK(lbx_server_next_event(server, &event.known) == LBX_AGAIN);
    lbx_server_free(server);
}

static void wrong_settings_are_named(void)
{
    lbx_server *server = NULL;
    lbx_server_config config = { .size = sizeof config, .listen = "localhost" };
    CHECK(lbx_server_new(&config, &server) == LBX_ERROR_ARGUMENT);
    config.listen = "127.0.0.1:0";
    config.admit = LBX_ADMIT_CERTIFICATES;
    CHECK(lbx_server_new(&config, &server) == LBX_ERROR_ARGUMENT);
    config.authorities = "no certificate";
    CHECK(lbx_server_new(&config, &server) == LBX_ERROR_IDENTITY);
    lbx_client *client = NULL;
    const lbx_client_config nowhere = { .size = sizeof nowhere, .address = "ward 7" };
    CHECK(lbx_client_new(&nowhere, &client) == LBX_ERROR_IDENTITY && client == NULL);
    server = new_server();
    char little[8];
    CHECK(lbx_server_address(server, "127.0.0.1", little, sizeof little) == LBX_ERROR_SPACE);
    lbx_server_free(server);
}

/* --- Scanouts and their callbacks --- */

static uint32_t pixels[HEIGHT][WIDTH];

struct calls {
    lbx_output *output;
    lbx_server *server;
    int locked, looks, released;
};

static void count_release(void *userdata) { ((struct calls *)userdata)->released++; }

static void count_lock(void *userdata)
{
    struct calls *calls = userdata;
    calls->locked++;
    calls->looks++;
}

static void count_unlock(void *userdata) { ((struct calls *)userdata)->locked--; }

static lbx_scanout scanout_of(struct calls *calls)
{
    return (lbx_scanout){ .size = sizeof(lbx_scanout), .data = pixels, .stride = sizeof pixels[0],
                          .userdata = calls, .release = count_release, .lock = count_lock,
                          .unlock = count_unlock, .w = WIDTH, .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
}

static void a_scanout_is_lent_until_it_is_released(void)
{
    lbx_server *server = new_server();
    lbx_output *output = NULL;
    CHECK(lbx_output_new(server, 64, 64, LBX_FORMAT_GRAY12, &output) == LBX_OK);
    CHECK(lbx_output_damage_unknown(output, NULL) == LBX_ERROR_STATE);

    struct calls first = { 0 }, second = { 0 };
    lbx_scanout scanout = scanout_of(&first);
    scanout.stride = 1;
    CHECK(lbx_output_set_scanout(output, &scanout) == LBX_ERROR_SHAPE && first.released == 0);
    scanout.stride = sizeof pixels[0];
    CHECK(lbx_output_set_scanout(output, &scanout) == LBX_OK);

    uint32_t changed = 0;
    memset(pixels, 0x77, sizeof pixels);
    CHECK(lbx_output_damage_unknown(output, &changed) == LBX_OK && changed == 8);
    const lbx_rect all_and_more = { 0, 0, 0xFFFFFFFF, 0xFFFFFFFF };
    CHECK(lbx_output_damage(output, &all_and_more, 1, &changed) == LBX_OK && changed == 0);
    CHECK(first.looks == 2 && first.locked == 0 && first.released == 0);

    scanout.userdata = &second;
    CHECK(lbx_output_set_scanout(output, &scanout) == LBX_OK && first.released == 1);
    CHECK(lbx_output_resize(output, 64, 64, LBX_FORMAT_GRAY8) == LBX_OK && second.released == 1);
    CHECK(lbx_output_set_scanout(output, &scanout) == LBX_OK);
    CHECK(lbx_output_set_scanout(output, NULL) == LBX_OK && second.released == 2);
    CHECK(lbx_output_set_scanout(output, &scanout) == LBX_OK);
    lbx_output_free(output);
    CHECK(second.released == 3);

    lbx_output_stats stats = { .size = sizeof stats };
    CHECK(lbx_output_read_stats(NULL, &stats) == LBX_ERROR_ARGUMENT);
    lbx_server_free(server);
}

static void free_both(void *userdata)
{
    struct calls *calls = userdata;
    lbx_output_free(calls->output);
    lbx_server_free(calls->server);
    calls->looks++;
}

static void frees_in_a_callback_wait_for_the_call(void)
{
    struct calls calls = { .server = new_server() };
    CHECK(lbx_output_new(calls.server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &calls.output) == LBX_OK);
    lbx_scanout scanout = scanout_of(&calls);
    scanout.lock = free_both;
    scanout.unlock = NULL;
    scanout.release = NULL;
    CHECK(lbx_output_set_scanout(calls.output, &scanout) == LBX_OK);
    CHECK(lbx_output_damage_unknown(calls.output, NULL) == LBX_OK && calls.looks == 1);
}

static void an_output_outlives_its_server(void)
{
    lbx_server *server = new_server();
    lbx_output *output = NULL;
    CHECK(lbx_output_new(server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &output) == LBX_OK);
    lbx_server_free(server);
    const lbx_frame frame = { .size = sizeof frame, .data = pixels, .stride = sizeof pixels[0], .w = WIDTH,
                              .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
    CHECK(lbx_output_submit(output, &frame, NULL, 0, NULL) == LBX_OK);
    CHECK(lbx_cursor_move(output, 3, 4, 1) == LBX_OK);
    lbx_output_free(output);
}

/* --- Handles that are none --- */

static void what_was_freed_is_told(void)
{
    lbx_server *server = new_server();
    lbx_output *output = NULL;
    CHECK(lbx_output_new(server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &output) == LBX_OK);
    lbx_output_free(output);
    lbx_output_free(output);
    CHECK(strstr(lbx_error_text(), "output was freed") != NULL);
    CHECK(lbx_output_damage_unknown(output, NULL) == LBX_ERROR_HANDLE);
    CHECK(lbx_output_id(output) == LBX_NO_OUTPUT);
    lbx_server_free(server);
    lbx_server_free(server);
    CHECK(lbx_server_port(server) == 0 && lbx_server_event_fd(server) == -1);
    lbx_server_event event = { .size = sizeof event };
    CHECK(lbx_server_next_event(server, &event) == LBX_ERROR_HANDLE);
    /* Another that comes after it is not taken for it. */
    lbx_server *later = new_server();
    CHECK(later != server && lbx_server_set_leds(server, 0) == LBX_ERROR_HANDLE);
    CHECK(lbx_server_set_leds(later, 0) == LBX_OK);
    lbx_server_free(later);
}

static void what_is_of_another_type_is_told(void)
{
    lbx_server *server = new_server();
    int something = 0;
    CHECK(lbx_client_key((lbx_client *)(void *)server, 30, 1) == LBX_ERROR_HANDLE);
    CHECK(lbx_surface_release((lbx_surface *)(void *)server) == LBX_ERROR_HANDLE);
    lbx_output_free((lbx_output *)(void *)server);
    CHECK(lbx_server_set_leds((lbx_server *)(void *)&something, 0) == LBX_ERROR_HANDLE);
    CHECK(lbx_server_set_leds((lbx_server *)UINTPTR_MAX, 0) == LBX_ERROR_HANDLE);
    /* It is still there after all that. */
    CHECK(lbx_server_set_leds(server, 0) == LBX_OK);
    lbx_server_free(server);
}

static void enter_again(void *userdata)
{
    struct calls *calls = userdata;
    if (++calls->looks == 1) {
        CHECK(lbx_output_damage_unknown(calls->output, NULL) == LBX_OK && calls->looks == 2);
        /* The scanout goes, but the look that has begun ends before it is released. */
        CHECK(lbx_output_set_scanout(calls->output, NULL) == LBX_OK && calls->released == 0);
        CHECK(lbx_output_resize(calls->output, 64, 64, LBX_FORMAT_GRAY8) == LBX_OK);
        lbx_output_free(calls->output);
        CHECK(lbx_output_damage_unknown(calls->output, NULL) == LBX_ERROR_HANDLE);
    }
}

static void a_callback_may_enter_again_and_free(void)
{
    struct calls calls = { .server = new_server() };
    CHECK(lbx_output_new(calls.server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &calls.output) == LBX_OK);
    lbx_scanout scanout = scanout_of(&calls);
    scanout.lock = enter_again;
    scanout.unlock = NULL;
    CHECK(lbx_output_set_scanout(calls.output, &scanout) == LBX_OK);
    /* The monitor took another shape inside the call, so this frame is none of it. */
    CHECK(lbx_output_damage_unknown(calls.output, NULL) == LBX_ERROR_SHAPE);
    CHECK(calls.looks == 2 && calls.released == 1);
    lbx_server_free(calls.server);
}

static void *use_what_others_free(void *userdata)
{
    lbx_output *const *outputs = userdata;
    for (int round = 0; round < 200; round++)
        for (int i = 0; i < 8; i++) {
            const lbx_result result = lbx_output_place(outputs[i], round, i, 0, 120);
            CHECK(result == LBX_OK || result == LBX_ERROR_HANDLE);
        }
    return NULL;
}

static void frees_beside_calls_are_told_or_wait(void)
{
    lbx_server *server = new_server();
    lbx_output *outputs[8];
    for (int i = 0; i < 8; i++)
        CHECK(lbx_output_new(server, 64, 64, LBX_FORMAT_GRAY8, &outputs[i]) == LBX_OK);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, use_what_others_free, outputs) == 0);
    for (int i = 0; i < 8; i++)
        lbx_output_free(outputs[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    lbx_server_free(server);
}

/* --- Both sides --- */

static void everything_a_person_does_arrives(void)
{
    struct pair pair = new_pair();
    const uint32_t output = lbx_output_id(pair.output);
    const lbx_touch touch = { .touch = 2, .phase = LBX_TOUCH_DOWN, .output = output, .x = 9, .y = 8, .pressure = 7 };
    CHECK(lbx_client_key(pair.client, 30, 1) == LBX_OK);
    CHECK(lbx_client_button(pair.client, LBX_BUTTON_RIGHT, 1, output, 5, 6) == LBX_OK);
    CHECK(lbx_client_motion(pair.client, -256, 512) == LBX_OK);
    CHECK(lbx_client_wheel(pair.client, 0, -120) == LBX_OK);
    CHECK(lbx_client_text(pair.client, "\xC3\xA4\xE2\x82\xAC") == LBX_OK);
    CHECK(lbx_client_touch(pair.client, &touch) == LBX_OK);
    CHECK(lbx_client_locks(pair.client, LBX_LOCK_NUM) == LBX_OK);
    CHECK(lbx_client_pointer(pair.client, output, 11, 12) == LBX_OK);
    CHECK(lbx_client_key(pair.client, 768, 1) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_client_text(pair.client, "\xFF") == LBX_ERROR_ARGUMENT);

    lbx_input input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_KEY && input.code == 30 && input.pressed == 1);
    CHECK(lbx_input_qnum(input.code) == 0x1E);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_BUTTON && input.code == LBX_BUTTON_RIGHT && input.x == 5 && input.y == 6);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_MOTION && input.dx == -256 && input.dy == 512);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_WHEEL && input.dx == 0 && input.dy == -120);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_TEXT && input.text_len == 5 && strcmp(input.text, "\xC3\xA4\xE2\x82\xAC") == 0);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_TOUCH && input.touch == 2 && input.x == 9 && input.pressure == 7);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_LOCKS && input.locks == LBX_LOCK_NUM);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_POINTER && input.output == output && input.x == 11 && input.y == 12);

    /* What is held is let go when the focus is. */
    CHECK(lbx_client_unfocus(pair.client) == LBX_OK);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_KEY && input.code == 30 && input.pressed == 0);
    input = server_event(pair.server, LBX_SERVER_INPUT).input;
    CHECK(input.kind == LBX_INPUT_BUTTON && input.pressed == 0 && input.output == LBX_NO_OUTPUT);

    const lbx_place wish = { .output = output, .w = 320, .h = 200, .x = -5, .width_mm = 597, .scale = 180 };
    CHECK(lbx_client_want_layout(pair.client, &wish, 1) == LBX_OK);
    const lbx_server_event wanted = server_event(pair.server, LBX_SERVER_WANT_LAYOUT);
    CHECK(wanted.places_len == 1 && wanted.places[0].w == 320 && wanted.places[0].h == 200);
    CHECK(wanted.places[0].x == -5 && wanted.places[0].width_mm == 597 && wanted.places[0].scale == 180);

    lbx_client_free(pair.client);
    CHECK(server_event(pair.server, LBX_SERVER_LEFT).code == 0);
    lbx_output_free(pair.output);
    lbx_server_free(pair.server);
}

static void *release_elsewhere(void *surface)
{
    CHECK(lbx_surface_release(surface) == LBX_OK);
    return NULL;
}

static void a_surface_is_held_still(void)
{
    struct pair pair = new_pair();
    const uint8_t arrow[2 * 2 * 4] = { 1, 2, 3, 0xFF };
    CHECK(lbx_cursor_define(pair.output, 2, 2, 1, 0, arrow) == LBX_OK);
    const lbx_client_event cursor = client_event(pair.client, LBX_CLIENT_CURSOR_SHAPE);
    CHECK(cursor.w == 2 && cursor.x == 1 && cursor.bgra_len == sizeof arrow);
    CHECK(memcmp(cursor.bgra, arrow, sizeof arrow) == 0);

    memset(pixels, 0x42, sizeof pixels);
    const lbx_frame frame = { .size = sizeof frame, .data = pixels, .stride = sizeof pixels[0], .w = WIDTH,
                              .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
    CHECK(lbx_output_submit(pair.output, &frame, NULL, 0, NULL) == LBX_OK);
    /* The server knows first; its word to the client is then on its way. */
    while (!lbx_server_is_settled(pair.server))
        CHECK(client_event(pair.client, LBX_CLIENT_VERIFIED).tiles_len > 0);
    lbx_counts counts = { .size = sizeof counts };
    while (CHECK(lbx_client_counts(pair.client, &counts) == LBX_OK), counts.verified < 8)
        client_event(pair.client, LBX_CLIENT_VERIFIED);
    CHECK(counts.total == 8 && counts.exact == 8 && counts.refining == 0 && counts.max_error == 0);
    /* What the struct was when it was younger, and nothing behind it. */
    lbx_counts younger = { .size = offsetof(lbx_counts, max_error), .max_error = 7 };
    CHECK(lbx_client_counts(pair.client, &younger) == LBX_OK && younger.verified == 8 && younger.max_error == 7);
    CHECK(lbx_client_tile_error(pair.client, pair.surface, 0) == 0);
    CHECK(lbx_client_tile_error(pair.client, 99, 0) == LBX_TILE_ERROR_UNKNOWN);
    CHECK(lbx_client_tile_state(pair.client, pair.surface, 0) == LBX_TILE_VERIFIED);
    CHECK(lbx_client_tile_state(pair.client, 99, 0) == LBX_TILE_DIRTY);
    lbx_session_stats stats = { .size = sizeof stats };
    CHECK(lbx_server_read_session_stats(pair.server, &pair.session, &stats) == LBX_OK && stats.frames > 0);

    lbx_surface *surface = NULL, *another = NULL;
    CHECK(lbx_surface_acquire(pair.client, 99, &surface) == LBX_ERROR_STATE && surface == NULL);
    CHECK(lbx_surface_acquire(pair.client, pair.surface, &surface) == LBX_OK);
    CHECK(lbx_surface_acquire(pair.client, pair.surface, &another) == LBX_OK);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, release_elsewhere, another) == 0);
    pthread_join(thread, NULL);
    CHECK(lbx_surface_release(another) == LBX_ERROR_HANDLE);

    /* The client is freed, and what is held stays. */
    lbx_client_free(pair.client);
    lbx_frame seen = { .size = sizeof seen };
    CHECK(lbx_surface_frame(surface, &seen) == LBX_OK && seen.w == WIDTH && seen.h == HEIGHT);
    for (uint32_t y = 0; y < seen.h; y++)
        for (uint32_t x = 0; x < seen.w; x++) {
            const uint8_t *pixel = (const uint8_t *)seen.data + y * seen.stride + 4 * x;
            CHECK(pixel[0] == 0x42 && pixel[1] == 0x42 && pixel[2] == 0x42 && pixel[3] == 0xFF);
        }
    CHECK(lbx_surface_release(surface) == LBX_OK);
    lbx_output_free(pair.output);
    lbx_server_free(pair.server);
}

static void a_session_is_ended_for_a_reason(void)
{
    struct pair pair = new_pair();
    lbx_session_id ids[4];
    size_t len = 0;
    CHECK(lbx_server_sessions(pair.server, ids, 4, &len) == LBX_OK && len == 1);
    CHECK(lbx_server_disconnect(pair.server, &ids[0], "closing time") == LBX_OK);
    CHECK(strcmp(client_event(pair.client, LBX_CLIENT_ENDED).text, "closing time") == 0);
    const lbx_session_id nobody = { { 0 } };
    CHECK(lbx_server_disconnect(pair.server, &nobody, NULL) == LBX_ERROR_STATE);
    lbx_client_free(pair.client);
    lbx_output_free(pair.output);
    lbx_server_free(pair.server);
}

/* --- The log --- */

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

static void count_lines(void *userdata, uint32_t level, const char *target, const char *text)
{
    CHECK(level >= LBX_LOG_ERROR && level <= LBX_LOG_INFO && target[0] != '\0' && text[0] != '\0');
    /* Inside a callback the log cannot be changed, and its own lines are not told. */
    CHECK(lbx_log_set(LBX_LOG_OFF, NULL, NULL) == LBX_ERROR_STATE);
    pthread_mutex_lock(&log_mutex);
    ++*(int *)userdata;
    pthread_mutex_unlock(&log_mutex);
}

static void the_log_is_told_what_is_asked_for(void)
{
    int lines = 0;
    CHECK(lbx_log_set(LBX_LOG_INFO, count_lines, &lines) == LBX_OK);
    lbx_server *server = new_server();
    const lbx_client_config config = { .size = sizeof config, .terminal = "stranger" };
    char address[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_address(server, "127.0.0.1", address, sizeof address) == LBX_OK);
    /* The ticket, spoiled. */
    char *ticket = strrchr(address, '/') + 1;
    ticket[0] = ticket[0] == 'A' ? 'B' : 'A';
    lbx_client_config stranger = config;
    stranger.address = address;
    lbx_client *client = NULL;
    CHECK(lbx_client_new(&stranger, &client) == LBX_OK);
    client_event(client, LBX_CLIENT_ENDED);
    lbx_client_free(client);
    lbx_server_free(server);
    CHECK(lbx_log_set(LBX_LOG_OFF, NULL, NULL) == LBX_OK);
    CHECK(lines > 0);
}

static void a_scaled_image_is_a_hint(void)
{
    static uint8_t slice[HEIGHT / 2][WIDTH / 2];
    struct pair pair = new_pair();
    const lbx_frame image = { .size = sizeof image, .data = slice, .stride = sizeof slice[0], .w = WIDTH / 2,
                              .h = HEIGHT / 2, .format = LBX_FORMAT_GRAY8 };
    lbx_scaled scaled = { .size = sizeof scaled, .rect = { .w = WIDTH, .h = HEIGHT }, .image = &image,
                          .kernel = LBX_KERNEL_ROUNDED };
    const lbx_scaled *const images[] = { &scaled };
    CHECK(lbx_output_show_scaled(NULL, images, 1) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_output_show_scaled(pair.output, NULL, 1) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_output_show_scaled(pair.output, images, 1) == LBX_ERROR_ARGUMENT);
    CHECK(strstr(lbx_error_text(), "KERNEL") != NULL);
    scaled.kernel = LBX_KERNEL_NEAREST;
    scaled.rect.x = 1;
    CHECK(lbx_output_show_scaled(pair.output, images, 1) == LBX_ERROR_ARGUMENT);
    CHECK(strstr(lbx_error_text(), "rect") != NULL);
    scaled.rect.x = 0;
    CHECK(lbx_output_show_scaled(pair.output, NULL, 0) == LBX_OK);

    /* It says so of every picture, and of the last one wrongly: what is shown is the picture. */
    lbx_counts counts = { .size = sizeof counts };
    for (uint32_t n = 1; n < 4; n++) {
        for (uint32_t y = 0; y < HEIGHT; y++)
            for (uint32_t x = 0; x < WIDTH; x++) {
                slice[y / 2][x / 2] = (uint8_t)(x / 2 * n + y / 2 * 5);
                const uint32_t level = y < 9 ? 0x55 : slice[n == 3 ? 7 : y / 2][x / 2];
                pixels[y][x] = level * 0x010101 | 0xFF000000;
            }
        const lbx_frame frame = { .size = sizeof frame, .data = pixels, .stride = sizeof pixels[0], .w = WIDTH,
                                  .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
        CHECK(lbx_output_show_scaled(pair.output, images, 1) == LBX_OK);
        CHECK(lbx_output_submit(pair.output, &frame, NULL, 0, NULL) == LBX_OK);
        while (!lbx_server_is_settled(pair.server))
            client_event(pair.client, LBX_CLIENT_VERIFIED);
        while (CHECK(lbx_client_counts(pair.client, &counts) == LBX_OK), counts.verified < counts.total)
            client_event(pair.client, LBX_CLIENT_VERIFIED);
    }
    lbx_surface *surface = NULL;
    lbx_frame seen = { .size = sizeof seen };
    CHECK(lbx_surface_acquire(pair.client, pair.surface, &surface) == LBX_OK);
    CHECK(lbx_surface_frame(surface, &seen) == LBX_OK);
    for (uint32_t y = 0; y < HEIGHT; y++)
        CHECK(memcmp((const uint8_t *)seen.data + y * seen.stride, pixels[y], sizeof pixels[y]) == 0);
    CHECK(lbx_surface_release(surface) == LBX_OK);
    lbx_client_free(pair.client);
    lbx_output_free(pair.output);
    lbx_server_free(pair.server);
}

int main(void)
{
    the_header_is_the_library_s();
    null_is_an_argument_error();
    structs_grow();
    wrong_settings_are_named();
    a_scanout_is_lent_until_it_is_released();
    frees_in_a_callback_wait_for_the_call();
    what_was_freed_is_told();
    what_is_of_another_type_is_told();
    a_callback_may_enter_again_and_free();
    frees_beside_calls_are_told_or_wait();
    an_output_outlives_its_server();
    everything_a_person_does_arrives();
    a_surface_is_held_still();
    a_session_is_ended_for_a_reason();
    a_scaled_image_is_a_hint();
    the_log_is_told_what_is_asked_for();
    return 0;
}
