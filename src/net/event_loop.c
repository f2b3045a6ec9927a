/* epoll, and a table by descriptor that says whose it is. */
#include "net/event_loop.h"

#include "base/assert.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct registration {
    void *owner;
    int kind;
    uint32_t generation; /* counts registrations of this descriptor */
};

struct event_loop {
    int epoll_fd;
    int size;
    struct registration *by_fd;
};

struct event_loop *event_loop_new(void)
{
    struct event_loop *loop;
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0)
        return NULL;
    loop = mem_alloc_zero(sizeof *loop);
    loop->epoll_fd = fd;
    return loop;
}

void event_loop_free(struct event_loop *loop)
{
    close(loop->epoll_fd);
    if (loop->size)
        mem_free(loop->by_fd, (size_t)loop->size * sizeof *loop->by_fd);
    mem_free(loop, sizeof *loop);
}

static void ensure_fd(struct event_loop *loop, int fd)
{
    int size = loop->size ? loop->size : 64;

    if (fd < loop->size)
        return;
    while (size <= fd)
        size *= 2;
    if (loop->size)
        loop->by_fd = mem_resize(loop->by_fd, (size_t)loop->size * sizeof *loop->by_fd,
                                 (size_t)size * sizeof *loop->by_fd);
    else
        loop->by_fd = mem_alloc((size_t)size * sizeof *loop->by_fd);
    memset(loop->by_fd + loop->size, 0, (size_t)(size - loop->size) * sizeof *loop->by_fd);
    loop->size = size;
}

static struct epoll_event epoll_event_of(const struct event_loop *loop, int fd, unsigned interest)
{
    struct epoll_event event = {0};

    event.events = (interest & EVENT_READABLE ? EPOLLIN : 0u) |
                   (interest & EVENT_WRITABLE ? EPOLLOUT : 0u);
    event.data.u64 = (uint64_t)loop->by_fd[fd].generation << 32 | (uint32_t)fd;
    return event;
}

int event_loop_add(struct event_loop *loop, int fd, void *owner, int kind, unsigned interest)
{
    struct registration *registration;
    struct epoll_event event;

    ensure_fd(loop, fd);
    registration = &loop->by_fd[fd];
    registration->owner = owner;
    registration->kind = kind;
    registration->generation++;
    event = epoll_event_of(loop, fd, interest);
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    registration->owner = NULL;
    return -1;
}

void event_loop_change(struct event_loop *loop, int fd, unsigned interest)
{
    struct epoll_event event = epoll_event_of(loop, fd, interest);

    ASSERT(epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0);
}

void event_loop_remove(struct event_loop *loop, int fd)
{
    struct epoll_event none = {0};

    ASSERT(fd < loop->size && loop->by_fd[fd].owner);
    loop->by_fd[fd].owner = NULL;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, &none);
}

int event_loop_wait(struct event_loop *loop, struct event_batch *batch, int timeout_ms)
{
    struct epoll_event events[EVENT_BATCH_MAX];
    int count = epoll_wait(loop->epoll_fd, events, EVENT_BATCH_MAX, timeout_ms);

    ASSERT(count >= 0 || errno == EINTR);
    batch->count = count < 0 ? 0 : count;
    for (int i = 0; i < batch->count; i++) {
        unsigned readiness = 0;

        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            readiness |= EVENT_READABLE;
        if (events[i].events & EPOLLOUT)
            readiness |= EVENT_WRITABLE;
        if (events[i].events & (EPOLLHUP | EPOLLERR))
            readiness |= EVENT_BROKEN;
        batch->ready[i].token = events[i].data.u64;
        batch->ready[i].readiness = readiness;
    }
    return batch->count;
}

bool event_loop_get(const struct event_loop *loop, const struct event_batch *batch, int at,
                    struct event *event)
{
    uint64_t token = batch->ready[at].token;
    int fd = (int)(uint32_t)token;
    const struct registration *registration = &loop->by_fd[fd];

    if (!registration->owner || registration->generation != (uint32_t)(token >> 32))
        return false;
    *event = (struct event){registration->owner, registration->kind, fd, batch->ready[at].readiness};
    return true;
}
