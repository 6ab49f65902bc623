/*
 * What a host and a terminal that embed the library are promised beyond pixels: words of frames taken, contracts for
 * regions, a door of their own, memory of their own. Prints nothing and returns 0 if all of it holds.
 */
#include "support.h"

static uint32_t pixels[HEIGHT][WIDTH];

static void show(lbx_output *output, uint8_t value)
{
    memset(pixels, value, sizeof pixels);
    const lbx_frame frame = { .size = sizeof frame, .data = pixels, .stride = sizeof pixels[0], .w = WIDTH,
                              .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
    CHECK(lbx_output_submit(output, &frame, NULL, 0, NULL) == LBX_OK);
}

static void end(struct pair pair)
{
    lbx_client_free(pair.client);
    lbx_output_free(pair.output);
    lbx_server_free(pair.server);
}

static void frames_that_were_taken_are_told(void)
{
    struct pair pair = { .server = new_server() };
    CHECK(lbx_output_new(pair.server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &pair.output) == LBX_OK);
    CHECK(lbx_output_notify(pair.output, 7) == LBX_OK);
    CHECK(server_event(pair.server, LBX_SERVER_FRAME_DONE).cookie == 7);
    end(pair);

    pair = new_pair();
    for (uint64_t cookie = 1ull << 40; cookie < (1ull << 40) + 5; cookie++) {
        show(pair.output, (uint8_t)cookie);
        CHECK(lbx_output_notify(pair.output, cookie) == LBX_OK);
        const lbx_server_event done = server_event(pair.server, LBX_SERVER_FRAME_DONE);
        CHECK(done.cookie == cookie && done.output == lbx_output_id(pair.output) && done.sessions == 0);
    }
    end(pair);
}

static void contracts_are_kept_or_told(void)
{
    struct pair pair = new_pair();
    const lbx_rect all = { 0, 0, WIDTH, HEIGHT }, one = { 0, 0, 1, 1 };
    CHECK(lbx_output_contract(pair.output, 0, 0, &all, 1) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_output_contract(pair.output, LBX_CONTRACT_NEVER_LOSSY, 5, &all, 1) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_output_contract(pair.output, LBX_CONTRACT_NEVER_LOSSY, 0, NULL, 1) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_output_contract(pair.output, LBX_CONTRACT_NEVER_LOSSY, 0, &all, 1) == LBX_OK);
    CHECK(lbx_output_contract(pair.output, LBX_CONTRACT_EXACT_WITHIN, 0, &one, 1) == LBX_OK);
    show(pair.output, 9);
    const lbx_server_event late = server_event(pair.server, LBX_SERVER_LATE);
    CHECK(late.output == lbx_output_id(pair.output) && late.tiles == 1);
    lbx_session_stats stats = { .size = sizeof stats };
    CHECK(lbx_server_read_session_stats(pair.server, &pair.session, &stats) == LBX_OK && stats.late_tiles >= 1);
    CHECK(lbx_output_contract(pair.output, LBX_CONTRACT_EXACT_WITHIN, 0, NULL, 0) == LBX_OK);
    end(pair);
}

static lbx_client *at_the_door(lbx_server *server)
{
    char address[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_address(server, "127.0.0.1", address, sizeof address) == LBX_OK);
    const lbx_client_config config = { .size = sizeof config, .address = address, .terminal = "ward 7" };
    lbx_client *client = NULL;
    CHECK(lbx_client_new(&config, &client) == LBX_OK);
    return client;
}

/* The session's end, which an event of any other kind comes before. */
static void ends_with(lbx_client *client, const char *text)
{
    lbx_client_event event = { .size = sizeof event };
    while (event.kind != LBX_CLIENT_ENDED) {
        struct pollfd fd = { .fd = lbx_client_event_fd(client), .events = POLLIN };
        if (lbx_client_next_event(client, &event) == LBX_AGAIN)
            poll(&fd, 1, -1);
    }
    CHECK(strcmp(event.text, text) == 0);
}

static void the_host_opens_the_door(void)
{
    const lbx_server_config config = { .size = sizeof config, .listen = "127.0.0.1:0", .admit = LBX_ADMIT_ASK };
    lbx_server *server = NULL;
    CHECK(lbx_server_new(&config, &server) == LBX_OK);

    lbx_client *client = at_the_door(server);
    lbx_server_event knock = server_event(server, LBX_SERVER_KNOCK);
    CHECK(strcmp(knock.text, "ward 7") == 0 && strncmp(knock.address, "127.0.0.1:", 10) == 0);
    CHECK(strcmp(knock.ticket, "") == 0 && knock.certificate == NULL);
    CHECK(lbx_server_answer(server, knock.knock, 1, 99, NULL) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_server_answer(server, knock.knock, 1, LBX_ROLE_VIEW, NULL) == LBX_OK);
    CHECK(lbx_server_answer(server, knock.knock, 1, LBX_ROLE_VIEW, NULL) == LBX_ERROR_STATE);
    CHECK(client_event(client, LBX_CLIENT_CONNECTED).role == LBX_ROLE_VIEW);
    lbx_client_free(client);

    client = at_the_door(server);
    knock = server_event(server, LBX_SERVER_KNOCK);
    CHECK(lbx_server_answer(server, knock.knock, 0, 0, "visiting hours are over") == LBX_OK);
    ends_with(client, "visiting hours are over");
    lbx_client_free(client);
    lbx_server_free(server);
}

static void tickets_say_what_a_person_may_do(void)
{
    lbx_server *server = new_server();
    char address[LBX_ADDRESS_SPACE];
    char fingerprint[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_fingerprint(server, fingerprint, 4) == LBX_ERROR_SPACE);
    CHECK(lbx_server_fingerprint(server, fingerprint, sizeof fingerprint) == LBX_OK);
    CHECK(lbx_server_address(server, "127.0.0.1", address, sizeof address) == LBX_OK);
    CHECK(strcmp(strchr(address, '#') + 1, fingerprint) == 0);
    CHECK(lbx_server_ticket(server, "127.0.0.1", 9, 0, address, sizeof address) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_server_ticket(server, "127.0.0.1", LBX_ROLE_VIEW, 3600000, address, sizeof address) == LBX_OK);
    lbx_client_config config = { .size = sizeof config, .address = address };
    lbx_client *client = NULL;
    CHECK(lbx_client_new(&config, &client) == LBX_OK);
    CHECK(client_event(client, LBX_CLIENT_CONNECTED).role == LBX_ROLE_VIEW);
    lbx_client_free(client);

    CHECK(lbx_server_ticket(server, "127.0.0.1", LBX_ROLE_CONTROL, 0, address, sizeof address) == LBX_OK);
    CHECK(lbx_server_revoke_tickets(server) == LBX_OK);
    CHECK(lbx_client_new(&config, &client) == LBX_OK);
    ends_with(client, "this ticket is not valid or was used: ask for a new address");
    lbx_client_free(client);
    lbx_server_free(server);
}

/* --- A terminal's own memory --- */

struct store {
    _Atomic(lbx_client *) client;
    size_t padding;
    int out, most, given;
};

static void *give(void *userdata, uint32_t surface, uint32_t w, uint32_t h, uint32_t format, size_t *stride)
{
    struct store *store = userdata;
    CHECK(w > 0 && h > 0 && format != 0 && *stride >= w);
    /* It may look at what there is meanwhile. */
    lbx_surface *held = NULL;
    lbx_client *client = store->client;
    CHECK(client == NULL || lbx_surface_acquire(client, surface, &held) == LBX_ERROR_STATE);
    if (client != NULL && lbx_surface_acquire(client, 0, &held) == LBX_OK)
        CHECK(lbx_surface_release(held) == LBX_OK);
    if (store->out == store->most)
        return NULL;
    store->out++;
    store->given++;
    *stride += store->padding;
    return malloc(*stride * h);
}

static void take(void *userdata, void *data)
{
    struct store *store = userdata;
    store->out--;
    free(data);
}

static void surfaces_lie_in_the_terminal_s_memory(void)
{
    struct store store = { .padding = 36, .most = 1 };
    const lbx_allocator allocator = { .size = sizeof allocator, .userdata = &store, .allocate = give, .free = take };
    struct pair pair = { .server = new_server() };
    CHECK(lbx_output_new(pair.server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &pair.output) == LBX_OK);
    char address[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_address(pair.server, "127.0.0.1", address, sizeof address) == LBX_OK);
    const lbx_allocator nothing = { .size = sizeof nothing };
    lbx_client_config config = { .size = sizeof config, .address = address, .allocator = &nothing };
    CHECK(lbx_client_new(&config, &pair.client) == LBX_ERROR_ARGUMENT);
    config.allocator = &allocator;
    CHECK(lbx_client_new(&config, &pair.client) == LBX_OK);
    store.client = pair.client;
    show(pair.output, 0x31);
    while (!lbx_server_is_settled(pair.server) || store.given == 0)
        CHECK(client_event(pair.client, LBX_CLIENT_VERIFIED).tiles_len > 0);
    lbx_surface *surface = NULL;
    lbx_frame frame = { .size = sizeof frame };
    CHECK(lbx_surface_acquire(pair.client, 0, &surface) == LBX_OK);
    CHECK(lbx_surface_frame(surface, &frame) == LBX_OK && frame.stride == WIDTH * 4 + store.padding);
    CHECK(((const uint8_t *)frame.data)[frame.stride * (HEIGHT - 1) + 4 * (WIDTH - 1)] == 0x31);
    CHECK(lbx_surface_release(surface) == LBX_OK);

    /* A second monitor is more than it has memory for. */
    lbx_output *second = NULL;
    CHECK(lbx_output_new(pair.server, 64, 64, LBX_FORMAT_GRAY8, &second) == LBX_OK);
    ends_with(pair.client, "the terminal has no memory for a surface of 64x64");
    lbx_output_free(second);
    end(pair);
    CHECK(store.out == 0 && store.given == 1);
}

int main(void)
{
    frames_that_were_taken_are_told();
    contracts_are_kept_or_told();
    the_host_opens_the_door();
    tickets_say_what_a_person_may_do();
    surfaces_lie_in_the_terminal_s_memory();
    return 0;
}
