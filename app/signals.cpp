#include "app/signals.h"

#include <QSocketNotifier>
#include <csignal>

#include <sys/socket.h>
#include <unistd.h>

namespace plumbline {

namespace {

// A signal handler may do little more than write: the other end is read in the event loop.
int ends[2] = {-1, -1};

extern "C" void told(int number) {
    const char byte = static_cast<char>(number);
    [[maybe_unused]] const auto written = write(ends[0], &byte, 1);
}

}  // namespace

Signals::Signals(QObject* parent) : QObject(parent) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        qFatal("signals: no socket pair");
    }
    notifier_ = new QSocketNotifier(ends[1], QSocketNotifier::Read, this);
    connect(notifier_, &QSocketNotifier::activated, this, [this] {
        char byte = 0;
        if (read(ends[1], &byte, 1) == 1) {
            caught_ = byte;
            Q_EMIT asked();
        }
    });
    std::signal(SIGINT, told);
    std::signal(SIGTERM, told);
}

Signals::~Signals() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    close(ends[0]);
    close(ends[1]);
}

}  // namespace plumbline
