#pragma once
// A session in the real window with a simulated person at the mouse.

#include <string>

#include "core/api/engine.h"

class QApplication;

namespace plumbline {

struct DemoOptions {
    int clicks = 20;                          // answers that state a preference; ties are not counted
    std::string folder = "./plumbline-demo";  // for the pictures; made if it is missing
    std::string model = "smollm2-135m-instruct";
    std::string judge = "polite";
    std::string theme = "light";              // light or dark
};

/// Prints how often held-out replies have the judged property before and after, and writes plots and a
/// screenshot. Returns the exit code. Touches neither the user's settings nor sessions.
int run_demo(QApplication& application, EngineOptions engine_options, const DemoOptions& options);

}  // namespace plumbline
