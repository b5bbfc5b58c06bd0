#pragma once
// Left to right, then onto the next line: a row that stays whole in a narrow window.

#include <QLayout>
#include <QList>

namespace plumbline::ui {

/// Items keep their size hints. The last item is pushed to the right edge of its line on request.
class FlowLayout : public QLayout {
    Q_OBJECT
  public:
    FlowLayout(int horizontal, int vertical, QWidget* parent = nullptr);
    ~FlowLayout() override;

    void set_last_to_the_right(bool right) { last_right_ = right; }

    void addItem(QLayoutItem* item) override;
    int count() const override { return int(items_.size()); }
    QLayoutItem* itemAt(int index) const override { return items_.value(index); }
    QLayoutItem* takeAt(int index) override;
    Qt::Orientations expandingDirections() const override { return {}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    void setGeometry(const QRect& rect) override;
    QSize sizeHint() const override;
    QSize minimumSize() const override;

  private:
    int place(const QRect& rect, bool apply) const;  // returns the height used

    QList<QLayoutItem*> items_;
    int horizontal_, vertical_;
    bool last_right_ = false;
};

}  // namespace plumbline::ui
