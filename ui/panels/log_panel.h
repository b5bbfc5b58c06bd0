#pragma once
// What happened, line by line.

#include <QDateTime>
#include <deque>

#include "ui/bridge/engine_bridge.h"
#include "ui/controls/surface.h"
#include "ui/panels/event_words.h"

class QCheckBox;
class QComboBox;
class QPlainTextEdit;

namespace plumbline::ui {

/// Keeps the last 5,000 lines. Bridge and theme must outlive it.
class LogPanel : public Surface {
    Q_OBJECT
  public:
    LogPanel(EngineBridge& bridge, const Theme& theme, QWidget* parent = nullptr);

    void add(const LogLine& line);
    QComboBox& sources() const { return *sources_; }
    QComboBox& level() const { return *level_; }
    QString shown_text() const;

  private:
    struct Entry {
        QDateTime time;
        LogLine line;
    };
    bool wanted(const Entry& entry) const;
    void show_line(const Entry& entry);
    void refill();

    std::deque<Entry> entries_;
    QComboBox* sources_;
    QComboBox* level_;
    QCheckBox* follow_;
    QPlainTextEdit* text_;
};

}  // namespace plumbline::ui
