#pragma once
// A list to choose one from.

#include <QComboBox>

namespace plumbline::ui {

/// Changes by its opened list alone: neither the wheel nor a stray key changes what is chosen, and a click
/// leaves the keyboard where it was.
class Chooser : public QComboBox {
    Q_OBJECT
  public:
    explicit Chooser(QWidget* parent = nullptr);

    /// An entry with the words that explain it.
    void add(const QString& text, const QString& tip);

  protected:
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
};

}  // namespace plumbline::ui
