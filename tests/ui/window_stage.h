#pragma once
// The whole window on a stage whose engine is the test itself.

#include <gtest/gtest.h>

#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFile>
#include <QMimeData>
#include <QPushButton>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <memory>

#include "tests/ui/stage.h"
#include "ui/window/main_window.h"

namespace plumbline::ui {

class MainWindowTest : public ::testing::Test {
  protected:
    MainWindowTest()
        : settings(folder.filePath("settings.ini"), QSettings::IniFormat),
          window(std::make_unique<MainWindow>(stage.bridge, stage.theme, settings)) {
        window->resize(1440, 900);
        show_active(*window);
    }
    QString write(const QString& name, const QByteArray& bytes) {
        QFile file(folder.filePath(name));
        EXPECT_TRUE(file.open(QIODevice::WriteOnly));
        file.write(bytes);
        return file.fileName();
    }
    /// Drops a file on the window; false: it was refused.
    bool drop(const QString& path) {
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(path)});
        QDragEnterEvent enter(QPoint(400, 400), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        enter.ignore();
        QApplication::sendEvent(window.get(), &enter);
        if (!enter.isAccepted()) {
            return false;
        }
        QDropEvent drop(QPointF(400, 400), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(window.get(), &drop);
        return true;
    }
    QPushButton* button(QWidget& in, const QString& accessible_name) {
        QTest::qWait(1);  // rows that were just laid out are shown by the event loop
        for (QPushButton* found : in.findChildren<QPushButton*>()) {
            if (found->accessibleName() == accessible_name && found->isVisible()) {
                return found;
            }
        }
        return nullptr;
    }

    PanelStage stage;
    QTemporaryDir folder;
    QSettings settings;
    std::unique_ptr<MainWindow> window;
};

}  // namespace plumbline::ui
