#pragma once
// The sessions that were open before, newest first.

#include <QDateTime>
#include <QList>
#include <QString>

class QSettings;

namespace plumbline::ui {

struct RecentSession {
    QString path, model;
    int labels = 0, policy_steps = 0;
    QDateTime used;
    bool exists() const;
};

/// Kept in the settings. The settings must outlive it.
class RecentSessions {
  public:
    explicit RecentSessions(QSettings& settings) : settings_(settings) {}
    QList<RecentSession> list() const;
    void note(const RecentSession& session);  // to the top; one entry a path, twelve in all
    void forget(const QString& path);

  private:
    void store(const QList<RecentSession>& sessions);
    QSettings& settings_;
};

}  // namespace plumbline::ui
