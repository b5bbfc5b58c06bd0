#pragma once
// The window with the real engine and a tiny model of random weights.

#include <gtest/gtest.h>

#include <QApplication>
#include <QSettings>
#include <QTest>
#include <filesystem>
#include <memory>
#include <string>

#include "core/api/engine.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"
#include "ui/bridge/engine_bridge.h"
#include "ui/theme/theme.h"
#include "ui/window/main_window.h"

namespace plumbline::ui {

constexpr int patience = 60000;  // ms; the machine may be busy

class EngineWindowTest : public ::testing::Test {
  protected:
    EngineWindowTest()
        : model(plumbline::testing::write_tiny_model(folder.path(), 7)),
          settings(QString::fromStdString((folder / "settings.ini").string()), QSettings::IniFormat),
          theme(*static_cast<QApplication*>(QCoreApplication::instance())) {
        qputenv("PLUMBLINE_DATA_DIR", folder.path().c_str());
        launch();
        QObject::connect(bridge.get(), &EngineBridge::click_done, [this] { ++clicks_done; });
        QObject::connect(bridge.get(), &EngineBridge::label_recorded, [this] { ++recorded; });
        QObject::connect(bridge.get(), &EngineBridge::command_failed,
                         [this](const CommandFailed& failed) { failure = failed.message; });
    }
    ~EngineWindowTest() override { close(); }

    void launch() {
        EngineOptions options;
        options.threads = 1;
        options.device = "cpu";
        engine = std::make_unique<Engine>(options);
        bridge = std::make_unique<EngineBridge>(*engine);
        window = std::make_unique<MainWindow>(*bridge, theme, settings);
        window->show();
    }
    void close() {
        window.reset();
        bridge.reset();
        engine.reset();
    }
    void start(const std::filesystem::path& project, const SessionConfig& config = {}) {
        NewSession session;
        session.config = config;
        session.project_path = project.string();
        session.model = model.string();
        session.config.sampling.max_new_tokens = 12;
        session.prompts = {"One", "Two", "Three"};
        bridge->post(session);
        ASSERT_TRUE(reaches(Phase::choosing)) << failure;
    }
    bool reaches(Phase phase) {
        return QTest::qWaitFor([&] { return window->state().phase() == phase; }, patience);
    }
    bool until(const std::function<bool()>& condition) { return QTest::qWaitFor(condition, patience); }

    plumbline::testing::TempFolder folder;
    std::filesystem::path model;
    QSettings settings;
    Theme theme;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<EngineBridge> bridge;
    std::unique_ptr<MainWindow> window;
    int clicks_done = 0, recorded = 0;
    std::string failure;
};

}  // namespace plumbline::ui
