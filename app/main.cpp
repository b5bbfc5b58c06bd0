// plumbline: the window. Command line, settings and start-up; nothing else reads them.

#include <CLI/CLI.hpp>
#include <QApplication>
#include <QSettings>
#include <QTimer>
#include <csignal>
#include <cstdio>
#include <memory>

#include "app/demo.h"
#include "app/signals.h"
#include "core/api/engine.h"
#include "core/api/errors.h"
#include "ui/bridge/engine_bridge.h"
#include "ui/theme/theme.h"
#include "ui/window/main_window.h"

namespace {

struct Arguments {
    std::string project, model, theme;
    plumbline::EngineOptions engine;
    bool demo = false;
    plumbline::DemoOptions demo_options;
};

/// The exit code if the program ends here: help, version, a wrong option.
std::optional<int> parse(int argc, char** argv, Arguments& arguments) {
    CLI::App app("Plumbline: show a language model which reply you prefer, and measure what that changed.",
                 "plumbline");
    app.set_version_flag("--version", "plumbline " PLUMBLINE_VERSION);
    app.add_option("PROJECT", arguments.project, "A session to open (.plumb), or a model (.gguf)");
    app.add_option("--model", arguments.model,
                   "Start a new session with this model: a name, a file or a folder");
    app.add_option("--theme", arguments.theme, "light, dark or system; default: as last time, with --demo light")
        ->check(CLI::IsMember({"light", "dark", "system"}));
    app.add_option("--threads", arguments.engine.threads, "Arithmetic threads; default: physical cores")
        ->check(CLI::Range(0, 1024));
    app.add_option("--device", arguments.engine.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
    app.add_option("--dtype", arguments.engine.dtype, "f32 or bf16, of the frozen products")
        ->check(CLI::IsMember({"f32", "bf16"}))
        ->capture_default_str();
    app.add_flag("--demo", arguments.demo, "A simulated person clicks through a session; needs no display");
    app.add_option("--clicks", arguments.demo_options.clicks, "With --demo: answers that state a preference")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--judge", arguments.demo_options.judge, "With --demo: what the simulated person prefers")
        ->capture_default_str();
    app.add_option("--out", arguments.demo_options.folder, "With --demo: the folder for plots and screenshot")
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return std::nullopt;
}

void choose_theme(plumbline::ui::Theme& theme, QSettings& settings, const std::string& wanted) {
    using plumbline::ui::Scheme;
    const QString key = QStringLiteral("theme");
    const QString name = wanted.empty() ? settings.value(key, QStringLiteral("system")).toString()
                                        : QString::fromStdString(wanted);
    theme.set_scheme(name == QLatin1String("dark")    ? Scheme::dark
                     : name == QLatin1String("light") ? Scheme::light
                                                      : theme.system_scheme());
    QObject::connect(&theme, &plumbline::ui::Theme::changed, &theme, [&theme, &settings, key] {
        settings.setValue(key,
                          theme.scheme() == Scheme::dark ? QStringLiteral("dark") : QStringLiteral("light"));
    });
    theme.set_animations(settings.value(QStringLiteral("animations"), true).toBool());
}

int run(QApplication& application, const Arguments& arguments) {
    QSettings settings;
    plumbline::ui::Theme theme(application);
    choose_theme(theme, settings, arguments.theme);
    plumbline::Engine engine(arguments.engine);
    plumbline::ui::EngineBridge bridge(engine);
    plumbline::ui::MainWindow window(bridge, theme, settings);
    plumbline::Signals signals_to_close;
    QObject::connect(&signals_to_close, &plumbline::Signals::asked, &window, &QWidget::close);
    window.show();
    if (!arguments.project.empty()) {
        window.open_path(QString::fromStdString(arguments.project));
    } else if (!arguments.model.empty()) {
        window.start_model(QString::fromStdString(arguments.model));
    }
    const int code = QApplication::exec();
    return signals_to_close.caught() == SIGINT ? 130 : code;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    if (const std::optional<int> code = parse(argc, argv, arguments)) {
        return *code;
    }
    if (arguments.demo && qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM") &&
        qEnvironmentVariableIsEmpty("DISPLAY") && qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("plumbline"));
    QApplication::setApplicationName(QStringLiteral("plumbline"));
    QApplication::setApplicationVersion(QStringLiteral(PLUMBLINE_VERSION));
    try {
        if (!arguments.model.empty()) {
            arguments.demo_options.model = arguments.model;
        }
        arguments.demo_options.theme = arguments.theme;
        return arguments.demo ? plumbline::run_demo(application, arguments.engine, arguments.demo_options)
                              : run(application, arguments);
    } catch (const plumbline::ConfigError& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
