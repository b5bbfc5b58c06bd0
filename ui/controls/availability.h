#pragma once
// A control that cannot be used says why.

#include <QString>

class QAction;
class QWidget;

namespace plumbline::ui {

/// `why_not` empty: enabled, with the tooltip it had when it was first handed in. Otherwise disabled, and
/// `why_not` is the tooltip.
void set_available(QWidget& control, const QString& why_not);
void set_available(QAction& action, const QString& why_not);
/// Replaces the usual tooltip of a control whose meaning has changed.
void set_tip(QWidget& control, const QString& tip);
void set_tip(QAction& action, const QString& tip);

}  // namespace plumbline::ui
