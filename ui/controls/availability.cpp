#include "ui/controls/availability.h"

#include <QAction>
#include <QVariant>
#include <QWidget>

namespace plumbline::ui {

namespace {

constexpr const char* usual_property = "plumbline_usual_tooltip";

template <class Control>
void apply(Control& control, const QString& why_not) {
    if (!control.property(usual_property).isValid()) {
        control.setProperty(usual_property, control.toolTip());
    }
    control.setToolTip(why_not.isEmpty() ? control.property(usual_property).toString() : why_not);
    control.setEnabled(why_not.isEmpty());
}

template <class Control>
void replace_tip(Control& control, const QString& tip) {
    control.setProperty(usual_property, tip);
    if (control.isEnabled()) {
        control.setToolTip(tip);
    }
}

}  // namespace

void set_tip(QWidget& control, const QString& tip) {
    replace_tip(control, tip);
}

void set_tip(QAction& action, const QString& tip) {
    replace_tip(action, tip);
}

void set_available(QWidget& control, const QString& why_not) {
    apply(control, why_not);
}

void set_available(QAction& action, const QString& why_not) {
    apply(action, why_not);
}

}  // namespace plumbline::ui
