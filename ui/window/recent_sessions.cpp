#include "ui/window/recent_sessions.h"

#include <QFileInfo>
#include <QSettings>

namespace plumbline::ui {

namespace {

constexpr int kept = 12;
const QString group = QStringLiteral("recent_sessions");

}  // namespace

bool RecentSession::exists() const {
    return QFileInfo::exists(path);
}

QList<RecentSession> RecentSessions::list() const {
    QList<RecentSession> sessions;
    const int count = settings_.beginReadArray(group);
    for (int i = 0; i < std::min(count, kept); ++i) {
        settings_.setArrayIndex(i);
        const RecentSession session{settings_.value(QStringLiteral("path")).toString(),
                                    settings_.value(QStringLiteral("model")).toString(),
                                    settings_.value(QStringLiteral("labels")).toInt(),
                                    settings_.value(QStringLiteral("policy_steps")).toInt(),
                                    settings_.value(QStringLiteral("used")).toDateTime()};
        if (!session.path.isEmpty()) {
            sessions.append(session);
        }
    }
    settings_.endArray();
    return sessions;
}

void RecentSessions::note(const RecentSession& session) {
    QList<RecentSession> sessions = list();
    sessions.removeIf([&](const RecentSession& other) { return other.path == session.path; });
    sessions.prepend(session);
    store(sessions.mid(0, kept));
}

void RecentSessions::forget(const QString& path) {
    QList<RecentSession> sessions = list();
    sessions.removeIf([&](const RecentSession& other) { return other.path == path; });
    store(sessions);
}

void RecentSessions::store(const QList<RecentSession>& sessions) {
    settings_.remove(group);
    settings_.beginWriteArray(group, int(sessions.size()));
    for (int i = 0; i < sessions.size(); ++i) {
        settings_.setArrayIndex(i);
        settings_.setValue(QStringLiteral("path"), sessions[i].path);
        settings_.setValue(QStringLiteral("model"), sessions[i].model);
        settings_.setValue(QStringLiteral("labels"), sessions[i].labels);
        settings_.setValue(QStringLiteral("policy_steps"), sessions[i].policy_steps);
        settings_.setValue(QStringLiteral("used"), sessions[i].used);
    }
    settings_.endArray();
}

}  // namespace plumbline::ui
