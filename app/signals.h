#pragma once
// Ctrl+C and a polite kill end the window like its close button.

#include <QObject>

class QSocketNotifier;

namespace plumbline {

/// One at a time. Turns SIGINT and SIGTERM into `asked` on the thread that made it.
class Signals : public QObject {
    Q_OBJECT
  public:
    explicit Signals(QObject* parent = nullptr);
    ~Signals() override;
    int caught() const { return caught_; }  // the signal's number; 0: none

  Q_SIGNALS:
    void asked();

  private:
    QSocketNotifier* notifier_;
    int caught_ = 0;
};

}  // namespace plumbline
