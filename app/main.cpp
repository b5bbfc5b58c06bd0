// plumbline: the window.

#include <QApplication>

#include "ui/theme/theme.h"

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    const plumbline::ui::Theme theme(application);
    return 0;
}
